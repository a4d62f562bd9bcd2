import { type Coordinator, memorySpool, memoryStorage, startCoordinator } from '@coppice/coordinator';
import { ManualClock } from '@coppice/ports';
import { keysOf } from '../conformance/raw-identity.ts';
import {
  aggregate,
  frame,
  type Json,
  layoutHash,
  payload,
  RawParticipant,
  type Spec,
  weightsHash,
} from '../conformance/raw-participant.ts';

const KEY = 'a-key-for-tests';
export const PROTOCOL = 3;

/** Somebody connected to the coordinator, written from docs/protocol.md alone. */
export interface Someone {
  readonly name: string;
  readonly raw: RawParticipant;
}

/** What a member of the cohort was asked. */
export interface Asked {
  readonly round: number;
  readonly hash: Buffer;
  readonly weights: number[];
  /** What every update of this round says beside its frame. */
  readonly update: Json;
  /** A frame of kind update with these differences. */
  frame(values: readonly number[]): Uint8Array;
}

/** A real coordinator on a clock that moves by hand, and people of all kinds. */
export class World {
  readonly clock: ManualClock;
  readonly #coordinator: Coordinator;
  readonly #open: RawParticipant[] = [];
  readonly #waiting = new Set<() => void>();
  #layout: Spec[] = [];

  static async begin(): Promise<World> {
    const clock = new ManualClock(1_800_000_000_000);
    const coordinator = await startCoordinator({
      config: { port: 0, adminKey: KEY, logLevel: 'silent' },
      clock,
      storage: memoryStorage(),
      spool: memorySpool(),
    });
    return new World(coordinator, clock);
  }

  private constructor(coordinator: Coordinator, clock: ManualClock) {
    this.#coordinator = coordinator;
    this.clock = clock;
    coordinator.runs.subscribe({
      runChanged: () => this.#look(),
      roundChanged: () => {},
      participantsChanged: () => this.#look(),
    });
  }

  get url(): string {
    return this.#coordinator.url;
  }

  get port(): number {
    return Number(new URL(this.url).port);
  }

  async end(): Promise<void> {
    await this.leaveAll();
    await this.#coordinator.close();
  }

  async leaveAll(): Promise<void> {
    await Promise.all(this.#open.splice(0).map((raw) => raw.close()));
  }

  /** What the admin's API says: it answers only while the process lives. */
  async get<T>(path: string): Promise<T> {
    const response = await fetch(`${this.url}${path}`, { headers: { authorization: `Bearer ${KEY}` } });
    if (response.status !== 200) throw new Error(`${path}: ${response.status}`);
    return (await response.json()) as T;
  }

  /** Resolves when the coordinator knows that so many have lost their connection. */
  gone(run: string, count: number): Promise<void> {
    return new Promise((resolve) => {
      const look = () => {
        const engine = this.#coordinator.runs.engine(run);
        if (engine.participants().filter(({ state }) => state === 'away').length < count) return;
        this.#waiting.delete(look);
        resolve();
      };
      this.#waiting.add(look);
      look();
    });
  }

  #look(): void {
    for (const look of this.#waiting) look();
  }

  async launch(plan: Json): Promise<string> {
    const response = await fetch(`${this.url}/api/runs`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${KEY}` },
      body: JSON.stringify({ task: 'iris', plan, start: true }),
    });
    const run = (await response.json()) as Json;
    if (response.status !== 201) throw new Error(JSON.stringify(run));
    return run['id'] as string;
  }

  async connect(name: string): Promise<Someone> {
    const keys = keysOf(name);
    const raw = new RawParticipant(this.url, { protocol: PROTOCOL, key: keys.key }, keys);
    this.#open.push(raw);
    const refused = await raw.connected;
    if (refused !== null) throw new Error(JSON.stringify(refused));
    await raw.event('welcome');
    return { name, raw };
  }

  async join(name: string, run: string): Promise<Someone> {
    const someone = await this.connect(name);
    const joined = await someone.raw.ask('join', {
      run,
      device: 'headless',
      backend: 'none',
      examples: 10,
      speed: null,
      paused: false,
    });
    if (joined.message['ok'] !== true) throw new Error(JSON.stringify(joined.message));
    this.#layout = (joined.message['value'] as { layout: Spec[] }).layout;
    return someone;
  }

  /** Resolves when the round has come to someone who joined. */
  async asked({ raw }: Someone): Promise<Asked> {
    const { message, frame: bytes } = await raw.event('round-start');
    if (bytes === null) throw new Error('round-start came without its frame');
    const { run, round, attempt, checkpoint } = message;
    const hash = layoutHash(this.#layout);
    return {
      round: round as number,
      hash,
      weights: payload(bytes),
      update: {
        run,
        round,
        attempt,
        checkpoint,
        examples: 5,
        loss: 0.9,
        evaluation: { loss: 1.1, accuracy: 0.5, examples: 2 },
        milliseconds: 12,
      },
      frame: (values) => frame(2, hash, values),
    };
  }
}

/** Differences of any size and sign, none of them round. */
export const difference = (length: number, seed: number) =>
  Array.from({ length }, (_, i) => Math.fround(Math.sin(seed + i * 1.7) * 10 ** ((i % 9) - 7)));

/** Honest participant number n's update: its difference and its example count. */
export const honest = (asked: Asked, n: number) => ({
  delta: difference(asked.weights.length, n),
  examples: 3 + n,
});

/** The name of the model that these updates alone make of the one that was sent out. */
export function foretold(
  asked: Asked,
  updates: readonly { delta: readonly number[]; examples: number }[],
): string {
  return weightsHash(frame(1, asked.hash, aggregate(asked.weights, updates)).subarray(40));
}

/** @returns the coordinator's answer to honest participant number n. */
export async function deliver({ raw }: Someone, asked: Asked, n: number): Promise<Json> {
  const { delta, examples } = honest(asked, n);
  return (await raw.ask('update', { ...asked.update, examples }, asked.frame(delta))).message;
}
