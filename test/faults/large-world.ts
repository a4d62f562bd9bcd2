import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Coordinator, startCoordinator } from '@coppice/coordinator';
import { ManualClock } from '@coppice/ports';
import { contributionHash, contributionPayload, type Tensor } from '../conformance/raw-contribution.ts';
import { keysOf } from '../conformance/raw-identity.ts';
import {
  encodedFrame,
  fetchPieces,
  type Json,
  layoutHash,
  RawParticipant,
  type Spec,
  weightsHash,
} from '../conformance/raw-participant.ts';
import { PROTOCOL } from './world.ts';

const KEY = 'a-key-for-tests';
const FEATURES = 1000;

/** A question to a participant of a round with a large model. */
export interface LargeAsked {
  readonly hash: Buffer;
  readonly header: Uint8Array;
  /** Hash of the model. */
  readonly checkpoint: string;
  /** The layout of an answer. */
  readonly layout: readonly Tensor[];
  /** The fields of this participant's answer beside its frame. */
  readonly answer: Json;
}

/** A participant that joined a run. */
export interface LargeMember {
  readonly raw: RawParticipant;
  /** Layouts of the model and of answers. */
  readonly layout: readonly Spec[];
  readonly answers: readonly Tensor[];
}

/** A real coordinator with files in a temporary folder, and a task with a model of any size. */
export class LargeWorld {
  readonly clock: ManualClock;
  readonly #coordinator: Coordinator;
  readonly #folder: string;
  readonly #open: RawParticipant[] = [];

  /** @param hidden units of the hidden layer, at a little over a thousand parameters each. */
  static async begin(hidden: number): Promise<LargeWorld> {
    const folder = mkdtempSync(join(tmpdir(), 'coppice-large-'));
    const clock = new ManualClock(1_800_000_000_000);
    const coordinator = await startCoordinator({
      config: { port: 0, adminKey: KEY, logLevel: 'silent', dataDir: folder },
      clock,
    });
    const world = new LargeWorld(coordinator, clock, folder);
    await world.#post('/api/tasks', {
      id: 'large',
      title: { en: 'Large' },
      description: { en: 'A large model.' },
      data: {
        kind: 'table',
        features: Array.from({ length: FEATURES }, (_, i) => ({ name: `f${i}` })),
        target: { kind: 'number', name: 'y' },
      },
      // Left out, a new task measures what fits its data, which takes a capability.
      metrics: [],
      model: {
        class_name: 'Sequential',
        config: {
          name: 'large',
          layers: [dense('hidden', hidden, { batch_input_shape: [null, FEATURES] }), dense('out', 1)],
        },
      },
    });
    return world;
  }

  private constructor(coordinator: Coordinator, clock: ManualClock, folder: string) {
    this.#coordinator = coordinator;
    this.clock = clock;
    this.#folder = folder;
  }

  get coordinator(): Coordinator {
    return this.#coordinator;
  }

  get url(): string {
    return this.#coordinator.url;
  }

  async end(): Promise<void> {
    await Promise.all(this.#open.splice(0).map((raw) => raw.close()));
    await this.#coordinator.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** Number of incomplete updates on disk. */
  parts(): number {
    return readdirSync(join(this.#folder, 'spool')).filter((name) => name.endsWith('.part')).length;
  }

  /** Resolves when `count` participants have lost their connection, as the coordinator sees it. */
  async gone(run: string, count: number): Promise<void> {
    const away = () =>
      this.#coordinator.runs
        .engine(run)
        .participants()
        .filter(({ state }) => state === 'away').length >= count;
    if (away()) return;
    await new Promise<void>((resolve) => {
      const stop = this.#coordinator.runs.subscribe({
        runChanged: () => {},
        roundChanged: () => {},
        participantsChanged: () => {
          if (!away()) return;
          stop();
          resolve();
        },
      });
    });
  }

  async launch(plan: Json): Promise<string> {
    return (await this.#post('/api/runs', { task: 'large', plan, start: true }))['id'] as string;
  }

  async join(name: string, run: string): Promise<LargeMember> {
    const keys = keysOf(name);
    const raw = new RawParticipant(this.url, { protocol: PROTOCOL, key: keys.key }, keys);
    this.#open.push(raw);
    const refused = await raw.connected;
    if (refused !== null) throw new Error(JSON.stringify(refused));
    await raw.event('welcome');
    const joined = await raw.ask('join', {
      run,
      device: 'headless',
      backend: 'none',
      examples: 10,
      speed: null,
      paused: false,
    });
    if (joined.message['ok'] !== true) throw new Error(JSON.stringify(joined.message));
    const { layout, answers } = joined.message['value'] as { layout: Spec[]; answers: { train: Tensor[] } };
    return { raw, layout, answers: answers.train };
  }

  /** Resolves with the round's question to a participant. */
  async asked({ raw, layout, answers }: LargeMember): Promise<LargeAsked> {
    const { message } = await raw.event('ask');
    const { run, ticket, parcels } = message as {
      run: string;
      ticket: string;
      parcels: { hash: string; frame: Uint8Array }[];
    };
    const [model] = parcels;
    if (model === undefined) throw new Error('a question came without its model');
    return {
      hash: layoutHash(layout),
      header: model.frame,
      checkpoint: model.hash,
      layout: answers,
      answer: { run, ticket, weight: 5, milliseconds: 12 },
    };
  }

  async #post(path: string, body: Json): Promise<Json> {
    const response = await fetch(`${this.url}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${KEY}` },
      body: JSON.stringify(body),
    });
    const answer = (await response.json()) as Json;
    if (response.status !== 201) throw new Error(JSON.stringify(answer));
    return answer;
  }
}

function dense(name: string, units: number, more: Json = {}): Json {
  return {
    class_name: 'Dense',
    config: {
      name,
      units,
      activation: 'linear',
      use_bias: true,
      kernel_initializer: {
        class_name: 'VarianceScaling',
        config: { scale: 1, mode: 'fan_avg', distribution: 'uniform', seed: null },
      },
      bias_initializer: { class_name: 'Zeros', config: {} },
      ...more,
    },
  };
}

/** Fetches the weights of a model that came as a header, and checks them against its hash. */
export async function weightsOf(
  raw: RawParticipant,
  { header, checkpoint, answer: { run } }: LargeAsked,
): Promise<Float32Array> {
  const whole = await fetchPieces(raw, run, checkpoint, header);
  if (weightsHash(whole.subarray(40)) !== checkpoint) throw new Error('another model came');
  return new Float32Array(whole.buffer, 40);
}

/** Small differences of either sign, none of them round. */
export function differences(length: number, seed: number): Float32Array {
  const values = new Float32Array(length);
  let state = seed;
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    values[i] = state / 2 ** 41;
  }
  return values;
}

/**
 * "Aggregation, to the bit", for many small numbers: sums stay below 2⁵³ units, where float64 represents every whole
 * number. FedAvg with η = 1.
 */
export function aggregateMany(
  weights: Float32Array,
  updates: readonly { delta: Float32Array; examples: number }[],
): Float32Array {
  const examples = updates.reduce((sum, update) => sum + update.examples, 0);
  const next = new Float32Array(weights.length);
  for (let i = 0; i < weights.length; i++) {
    let total = 0;
    for (const { delta, examples: n } of updates) {
      const units = (delta[i] as number) * n * 2 ** 36;
      const floor = Math.floor(units);
      const rest = units - floor;
      total += rest > 0.5 || (rest === 0.5 && floor % 2 !== 0) ? floor + 1 : floor;
    }
    if (Math.abs(total) > 2 ** 53) throw new Error('too large for this oracle');
    next[i] = (weights[i] as number) + total / 2 ** 36 / examples;
  }
  return next;
}

/** Hash of the model that results from these weights and updates. */
export function nameOfNext(
  weights: Float32Array,
  updates: readonly { delta: Float32Array; examples: number }[],
): string {
  const next = aggregateMany(weights, updates);
  return weightsHash(new Uint8Array(next.buffer));
}

/** The frame of an answer with these differences, trained on `weight` examples, with nothing held out. */
export function answerFrame(
  { layout }: Pick<LargeAsked, 'layout'>,
  delta: Float32Array,
  weight = 5,
): Uint8Array {
  const measures = layout.filter(({ role }) => role === 'measure');
  const numbers = contributionPayload(measures, {
    'train/examples': [weight],
    'train/loss': [0.9 * weight],
    'train/loss-examples': [weight],
    'held/examples': [0],
    'held/loss': [0],
    'held/loss-examples': [0],
  });
  const payload = Buffer.concat([new Uint8Array(delta.buffer, delta.byteOffset, delta.byteLength), numbers]);
  const parameters = payload.byteLength / 4;
  return new Uint8Array(encodedFrame(2, contributionHash(layout), parameters, { codec: 0, payload }));
}
