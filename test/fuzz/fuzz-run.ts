import type { Round } from '@coppice/protocol';
import { PROTOCOL_VERSION } from '@coppice/protocol';
import { type Draw, drawsOf } from '@coppice/protocol/testing';
import type { Tensor } from '../conformance/raw-contribution.ts';
import { keysOf } from '../conformance/raw-identity.ts';
import {
  aggregate,
  frame,
  layoutHash,
  payload,
  RawParticipant,
  type Spec,
  weightsHash,
} from '../conformance/raw-participant.ts';
import { answerFrame, difference } from '../faults/world.ts';
import { Attacker, count, type Tally } from './attacker.ts';
import type { Known } from './messages.ts';
import { noise, strangeFrames, strangePolling, strangeRequest, throwAt } from './raw-attacks.ts';
import { Target } from './target.ts';

const HONEST = 3;
const ATTACKERS = 8;
/** Waves of attacks between two honest rounds. */
const WAVES_PER_ROUND = 3;

/** The result of a fuzz run. */
export interface FuzzReport {
  /** Invalid messages, requests and other attacks that were sent. */
  readonly sent: number;
  /** Committed rounds, each verified against the model that the honest participants computed. */
  readonly rounds: number;
  /** The coordinator's answers by error code, or `ok`, with their counts. */
  readonly refused: Readonly<Record<string, number>>;
  /** Counts by HTTP status. */
  readonly statuses: Readonly<Record<string, number>>;
  /** Error codes `internal`, statuses of 500 and above, and errors in the coordinator's log. */
  readonly broken: readonly string[];
  /** Bytes held after each quarter of the run, after garbage collection. */
  readonly memory: readonly Memory[];
}
interface Memory {
  readonly held: number;
  readonly resident: number;
}

/**
 * Runs three honest participants against a coordinator in its own process, and attackers until `messages` attacks were
 * sent. In waves: after each, every open connection is answered, and valid messages are answered as ever; after every
 * few, a round is trained.
 *
 * @throws where the coordinator dies, is not ready, does not answer, or commits another model than the honest one.
 */
export async function fuzz({ seed, messages }: { seed: number; messages: number }): Promise<FuzzReport> {
  const target = await Target.begin();
  const honest: Honest[] = [];
  try {
    const work = async () => {
      const { id: run } = await target.api<{ id: string }>('POST', '/api/runs', {
        task: 'iris',
        // The first three updates make the round, for any cohort; attackers' exceed the norm bound.
        plan: {
          cohortSize: HONEST,
          overSelection: 5,
          minParticipants: HONEST,
          quorum: 0.5,
          rounds: 100_000,
          deadlineSeconds: 3600,
          graceSeconds: 0,
          maxNorm: 1000,
        },
        start: false,
      });
      for (let n = 0; n < HONEST; n++) honest.push(await Honest.join(target.url, run, n));
      await target.api('POST', `/api/runs/${run}/start`);
      const known: Known = {
        run,
        round: 1,
        attempt: 1,
        checkpoint: '',
        ticket: '',
        layout: [],
        parameters: 0,
      };
      await asked(honest, known);
      const tally: Tally = new Map();
      const statuses: Tally = new Map();
      const attackers = Array.from(
        { length: ATTACKERS },
        (_, n) => new Attacker(target.url, `attacker-${n}`, known, tally),
      );

      const heard = (text: string, status: number) => {
        count(tally, text);
        statuses.set(`${status}`, (statuses.get(`${status}`) ?? 0) + 1);
      };
      const tcp = async (bytes: Uint8Array) => {
        const answer = await throwAt(target, bytes);
        for (const [, status] of answer.matchAll(/HTTP\/1\.1 (\d{3}) /g)) heard('', Number(status));
        count(tally, answer);
        return 1;
      };
      let sent = 0;
      let rounds = 0;
      const memory: Memory[] = [];
      for (let wave = 0; sent < messages; wave++) {
        const draws = (who: number): Draw => drawsOf(Math.imul(seed, 0x9e3779b1) ^ (wave * 64 + who));
        const raw = draws(ATTACKERS);
        await Promise.all(attackers.map((attacker, n) => attacker.enter(draws(32 + n))));
        // Now that the others are there, they are asked as well.
        if (wave % WAVES_PER_ROUND === 0) {
          await trainRound(honest, known, target);
          rounds++;
        }
        const outcomes = await Promise.all([
          ...attackers.map((attacker, n) => attacker.attack(draws(n))),
          ...Array.from({ length: 10 }, () => tcp(strangeRequest(known, raw))),
          ...Array.from({ length: 3 }, () => tcp(strangeFrames(known, raw))),
          tcp(noise(raw)),
          strangePolling(target, known, raw, heard),
        ]);
        sent += outcomes.reduce((sum, one) => sum + one, 0);
        for (const { raw: one } of honest) {
          const { message } = await one.ask('pull', { run });
          if (message['ok'] !== true) throw new Error(JSON.stringify(message));
        }
        const ready = await target.api<{ ready: boolean }>('GET', '/readyz');
        if (!ready.ready) throw new Error('the coordinator says that it is not ready');
        if (sent >= (messages * (memory.length + 1)) / 4) memory.push(await target.memory());
      }
      await target.api('GET', '/metrics');
      const broken = [...target.complaints];
      if (tally.has('internal')) broken.push(`"internal" was answered ${tally.get('internal')} times`);
      for (const [status, times] of statuses)
        if (status === '500') broken.push(`${status} was answered ${times} times`);
      return {
        sent,
        rounds,
        refused: Object.fromEntries([...tally].sort(([a], [b]) => (a < b ? -1 : 1))),
        statuses: Object.fromEntries(statuses),
        broken,
        memory,
      };
    };
    return await Promise.race([work(), target.died]);
  } finally {
    await Promise.all(honest.map(({ raw }) => raw.close()));
    await target.end();
  }
}

/** A well-behaved participant. */
interface Honest {
  readonly raw: RawParticipant;
  /** Layouts of the model and of answers. */
  readonly layout: readonly Spec[];
  readonly answers: readonly Tensor[];
  readonly number: number;
  /** Ticket of its last question. */
  ticket: string;
}
const Honest = {
  async join(url: string, run: string, number: number): Promise<Honest> {
    const keys = keysOf(`honest-${number}`);
    const raw = new RawParticipant(url, { protocol: PROTOCOL_VERSION, key: keys.key }, keys);
    const refused = await raw.connected;
    if (refused !== null) throw new Error(JSON.stringify(refused));
    await raw.event('welcome');
    const about = { run, device: 'headless', backend: 'none', examples: 10, speed: null, paused: false };
    const { message } = await raw.ask('join', about);
    if (message['ok'] !== true) throw new Error(JSON.stringify(message));
    const { layout, answers } = message['value'] as { layout: Spec[]; answers: { train: Tensor[] } };
    return { raw, number, layout, answers: answers.train, ticket: '' };
  },
};

/** Weights of the last model that was sent. */
let current: number[] | null = null;

/** Waits until every honest participant was asked, and gives attackers their knowledge of the question. */
async function asked(honest: readonly Honest[], known: Known): Promise<void> {
  for (const one of honest) {
    const { message } = await one.raw.event('ask');
    const { round, attempt, ticket, parcels } = message as {
      round: number;
      attempt: number;
      ticket: string;
      parcels: { hash: string; frame: Uint8Array }[];
    };
    const [model] = parcels;
    if (model === undefined) throw new Error('a question came without its model');
    one.ticket = ticket;
    current = payload(model.frame);
    Object.assign(known, {
      round,
      attempt,
      checkpoint: model.hash,
      ticket,
      layout: one.answers,
      parameters: current.length,
    });
  }
}

/** Runs one honest round, whose model must follow from the honest updates alone. */
async function trainRound(honest: readonly Honest[], known: Known, target: Target): Promise<void> {
  const weights = current;
  const [first] = honest;
  if (weights === null || first === undefined) throw new Error('nobody was asked');
  const { run } = known;
  const updates = honest.map(({ number }) => ({
    delta: difference(weights.length, number + known.round * 7).map((value) => Math.fround(value / 100)),
    examples: 3 + number,
  }));
  const expected = weightsHash(frame(1, layoutHash(first.layout), aggregate(weights, updates)).subarray(40));
  const answers = await Promise.all(
    honest.map(({ raw, number, ticket, answers: layout }) => {
      const { delta, examples } = updates[number] as (typeof updates)[number];
      const answer = { run, ticket, weight: examples, milliseconds: 5 };
      return raw.ask('answer', answer, answerFrame(layout, delta, { weight: examples }));
    }),
  );
  for (const { message } of answers) if (message['ok'] !== true) throw new Error(JSON.stringify(message));
  for (const { raw } of honest) {
    const { message } = await raw.event('round-end');
    const { outcome, checkpoint, accepted, you } = message;
    if (outcome !== 'committed' || checkpoint !== expected || accepted !== HONEST || you !== 'accepted')
      throw new Error(
        `the honest made ${expected} in round ${known.round}, and were told ${JSON.stringify(message)}`,
      );
  }
  const stored = await target.api<Round[]>('GET', `/api/runs/${known.run}/rounds`);
  if (!stored.some((round) => round.round === known.round && round.checkpoint === expected))
    throw new Error(`round ${known.round} was not stored as the honest made it`);
  await asked(honest, known);
}
