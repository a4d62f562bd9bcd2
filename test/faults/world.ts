import { type Coordinator, memorySpool, memoryStorage, startCoordinator } from '@coppice/coordinator';
import { ManualClock } from '@coppice/ports';
import { contributionHash, contributionPayload, type Tensor } from '../conformance/raw-contribution.ts';
import { keysOf } from '../conformance/raw-identity.ts';
import {
  aggregate,
  encodedFrame,
  frame,
  type Json,
  layoutHash,
  payload,
  RawParticipant,
  type Spec,
  weightsHash,
} from '../conformance/raw-participant.ts';

const KEY = 'a-key-for-tests';
export const PROTOCOL = 4;

/** A connected participant, written from docs/protocol.md alone. */
export interface Someone {
  readonly name: string;
  readonly raw: RawParticipant;
  /** Tickets of received questions, by round and attempt. */
  readonly tickets: Map<string, string>;
}

/** Measures of an answer, by the page's names; left out: five training examples and two held-out ones. */
export interface Claims {
  readonly weight?: number;
  /** Σ loss over the training examples. */
  readonly loss?: number;
  readonly held?: { readonly examples: number; readonly loss: number; readonly hits: number };
}

/** A question to a cohort member. */
export interface Asked {
  readonly round: number;
  readonly attempt: number;
  /** Hashes of the model's layout and of the model. */
  readonly hash: Buffer;
  readonly checkpoint: string;
  readonly weights: number[];
  /** The fields of this member's answer beside its frame. */
  readonly answer: Json;
  /** A contribution frame with these differences. */
  frame(values: readonly number[], claims?: Claims): Uint8Array;
}

/** A real coordinator on a manual clock, with participants of all kinds. */
export class World {
  readonly clock: ManualClock;
  readonly #coordinator: Coordinator;
  readonly #open: RawParticipant[] = [];
  readonly #waiting = new Set<() => void>();
  #layout: Spec[] = [];
  #answers: Tensor[] = [];

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

  /** Fetches from the admin's API, which answers only while the process lives. */
  async get<T>(path: string): Promise<T> {
    const response = await fetch(`${this.url}${path}`, { headers: { authorization: `Bearer ${KEY}` } });
    if (response.status !== 200) throw new Error(`${path}: ${response.status}`);
    return (await response.json()) as T;
  }

  /** Resolves when the coordinator knows that `count` participants have lost their connection. */
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

  /** @param url the URL to connect to, if not the coordinator's own. */
  async connect(name: string, url = this.url): Promise<Someone> {
    const keys = keysOf(name);
    const raw = new RawParticipant(url, { protocol: PROTOCOL, key: keys.key }, keys);
    this.#open.push(raw);
    const refused = await raw.connected;
    if (refused !== null) throw new Error(JSON.stringify(refused));
    await raw.event('welcome');
    return { name, raw, tickets: new Map() };
  }

  /** A connection that claims an identity, once or more often, and proves nothing by itself. */
  silent(name: string, { hellos = 1 } = {}): RawParticipant {
    const raw = new RawParticipant(this.url, { protocol: PROTOCOL, key: keysOf(name).key }, { hellos });
    this.#open.push(raw);
    return raw;
  }

  async post<T>(path: string, body: Json): Promise<T> {
    const response = await fetch(`${this.url}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${KEY}` },
      body: JSON.stringify(body),
    });
    const answer = (await response.json()) as T;
    if (!response.ok) throw new Error(`${path}: ${response.status} ${JSON.stringify(answer)}`);
    return answer;
  }

  /** The error with which a connection is refused. */
  async refused(name: string): Promise<Json> {
    const keys = keysOf(name);
    const raw = new RawParticipant(this.url, { protocol: PROTOCOL, key: keys.key }, keys);
    this.#open.push(raw);
    const refused = await raw.connected;
    if (refused === null) throw new Error(`${name} was let in`);
    return refused;
  }

  async join(name: string, run: string, url = this.url): Promise<Someone> {
    const someone = await this.connect(name, url);
    const joined = await someone.raw.ask('join', {
      run,
      device: 'headless',
      backend: 'none',
      examples: 1000,
      speed: null,
      paused: false,
    });
    if (joined.message['ok'] !== true) throw new Error(JSON.stringify(joined.message));
    const { layout, answers } = joined.message['value'] as { layout: Spec[]; answers: { train: Tensor[] } };
    this.#layout = layout;
    this.#answers = answers.train;
    return someone;
  }

  /** Resolves with the round's question to a participant. */
  async asked({ raw, tickets }: Someone): Promise<Asked> {
    const { message } = await raw.event('ask');
    const { run, round, attempt, ticket, parcels } = message as {
      run: string;
      round: number;
      attempt: number;
      ticket: string;
      parcels: { hash: string; frame: Uint8Array }[];
    };
    const [model] = parcels;
    if (model === undefined) throw new Error('a question came without its model');
    tickets.set(`${round} ${attempt}`, ticket);
    const layout = this.#answers;
    return {
      round,
      attempt,
      hash: layoutHash(this.#layout),
      checkpoint: model.hash,
      weights: payload(model.frame),
      answer: { run, ticket, weight: 5, milliseconds: 12 },
      frame: (values, claims) => answerFrame(layout, values, claims),
    };
  }
}

/** The frame of an answer, with the model's number of values, or another one. */
export function answerFrame(
  layout: readonly Tensor[],
  values: readonly number[],
  { weight = 5, loss = 0.9 * weight, held = { examples: 2, loss: 2.2, hits: 1 } }: Claims = {},
): Uint8Array {
  const measures = layout.filter(({ role }) => role === 'measure');
  const size = ({ shape }: Tensor) => shape.reduce((all, length) => all * length, 1);
  const first = (count: number, { length } = { length: size(measures.at(-1) as Tensor) }) =>
    Array.from({ length }, (_, i) => (i === 0 ? count : 0));
  const payload = contributionPayload(layout, {
    model: values,
    'train/examples': [weight],
    'train/loss': [loss],
    'train/loss-examples': [weight],
    'held/examples': [held.examples],
    'held/loss': [held.loss],
    'held/loss-examples': [held.examples],
    'held/hits': [held.hits],
    'held/class-examples': first(held.examples),
    'held/class-hits': first(held.hits),
  });
  const numbers = measures.reduce((all, one) => all + size(one) * (one.precision === 'double' ? 2 : 1), 0);
  const encoded = { codec: 0, payload };
  return new Uint8Array(encodedFrame(2, contributionHash(layout), values.length + numbers, encoded));
}

/** Differences of any size and sign, none of them round. */
export const difference = (length: number, seed: number) =>
  Array.from({ length }, (_, i) => Math.fround(Math.sin(seed + i * 1.7) * 10 ** ((i % 9) - 7)));

/** The update of honest participant number n: its difference and its example count. */
export const honest = (asked: Asked, n: number) => ({
  delta: difference(asked.weights.length, n),
  examples: 3 + n,
});

/** Hash of the model that results from the sent one and these updates alone. */
export function foretold(
  asked: Asked,
  updates: readonly { delta: readonly number[]; examples: number }[],
): string {
  return weightsHash(frame(1, asked.hash, aggregate(asked.weights, updates)).subarray(40));
}

/** Delivers the answer of honest participant number n. @returns the coordinator's reply. */
export async function deliver({ raw, tickets }: Someone, asked: Asked, n: number): Promise<Json> {
  const { delta, examples } = honest(asked, n);
  const ticket = tickets.get(`${asked.round} ${asked.attempt}`) ?? asked.answer['ticket'];
  const answer = { ...asked.answer, ticket, weight: examples };
  return (await raw.ask('answer', answer, asked.frame(delta, { weight: examples }))).message;
}
