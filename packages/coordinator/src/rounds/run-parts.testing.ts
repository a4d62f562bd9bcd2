import { finish } from '@coppice/federation';
import { ManualClock } from '@coppice/ports';
import { type Answer, type Down, type DownName, type Plan, type Round, weightsHash } from '@coppice/protocol';
import type { Closed } from '../exchanges/exchange.ts';
import type { RunEvent } from '../monitoring/new-event.ts';
import { memoryStorage } from '../storage/memory.ts';
import { memorySpool } from '../storage/memory-spool.ts';
import type { RoundOpening } from '../storage/spool.ts';
import type { OpenRound } from './open-round.ts';
import { RunLog } from './run-log.ts';
import { packRun, type RunOptions, RunState } from './run-state.ts';
import { layout, recordOf, trainFrame } from './run-world.ts';
import { trainExchange } from './train-exchange.ts';

/** The state that a run's parts share, without the run: time stands still, and all that is told is kept. */
export function runParts(plan: Partial<Plan> = {}, changes: Partial<Omit<RunOptions, 'packed'>> = {}) {
  const clock = new ManualClock(1_000_000);
  const sent: { to: readonly string[]; name: DownName; message: Down<DownName> }[] = [];
  const events: RunEvent[] = [];
  const rounds: Round[] = [];
  const told = { run: 0, participants: 0 };
  const weights = new Float32Array([1, 2, 3]);
  const record = recordOf(plan);
  const model = { round: 0, hash: weightsHash(weights), weights, state: { values: {}, tensors: {} } };
  const options: RunOptions = {
    record,
    layout,
    model,
    packed: finish(packRun({ record, layout, model, ...changes })),
    central: null,
    lastRound: null,
    attempt: 1,
    storage: memoryStorage(),
    spool: memorySpool(),
    clock,
    audience: {
      send: (to, name, message) => void sent.push({ to: [...to], name, message }),
      bytes: () => ({ up: 0, down: 0 }),
    },
    models: {
      check: () => Promise.reject(new Error('not asked here')),
      layout: () => Promise.reject(new Error('not asked here')),
      describe: () => Promise.reject(new Error('not asked here')),
      export: () => Promise.reject(new Error('not asked here')),
      samples: () => Promise.reject(new Error('not asked here')),
      readWeights: () => Promise.reject(new Error('not asked here')),
      fitWeights: () => Promise.reject(new Error('not asked here')),
      evaluate: () => Promise.resolve({ loss: 1, accuracy: 0.5, examples: 1 }),
      close: () => Promise.resolve(),
    },
    observer: {
      runChanged: () => void told.run++,
      roundChanged: (round) => void rounds.push(round),
      participantsChanged: () => void told.participants++,
      event: (event) => void events.push(event),
    },
    agreeScaling: () => Promise.reject(new Error('not asked here')),
    admission: () => 'open',
    secret: 'a secret',
    ...changes,
  };
  const state = new RunState(options);
  const log = new RunLog(state, options.observer);
  const join = (id: string) =>
    state.members.join(
      id,
      { run: 'toy-1', device: 'headless', backend: 'cpu', examples: 1000, speed: null, paused: false },
      clock.now(),
    );
  /** Opens a round of the current model with this cohort, each with one seat. */
  const openRound = (cohort: readonly string[], opening: Partial<RoundOpening> = {}) => {
    const closed: Closed[] = [];
    const whole: RoundOpening = {
      run: 'toy-1',
      round: state.model.round + 1,
      attempt: 1,
      parent: state.model.hash,
      sizes: { target: cohort.length, asked: cohort.length, quorum: 1 },
      startedAt: clock.now(),
      deadlineAt: clock.now() + 60_000,
      cohort,
      beyond: [],
      owed: [],
      joined: cohort.length,
      weightCaps: cohort.map(() => 1000),
      normBounds: null,
      ...opening,
    };
    options.spool.open(whole);
    const beganAt = clock.elapsed();
    const exchange = trainExchange(
      whole,
      { begin: 'asked', beganAt, dueAt: beganAt + 60_000, grace: 5000 },
      state,
      {
        ...options,
        listener: {
          changed: () => {},
          counted: () => {},
          refused: () => {},
          closed: (how) => void closed.push(how),
        },
      },
    );
    const open: OpenRound = {
      opening: whole,
      exchange,
      normsBefore: undefined,
      phases: {},
      over: new AbortController(),
    };
    state.exchanges.round = open;
    exchange.open();
    return { open, exchange, closed };
  };
  /** A participant's answer in a round: a step of the model. */
  const answerOf = (
    participant: string,
    { exchange }: OpenRound,
    values: readonly number[],
    weight = 1,
  ): Answer => ({
    run: 'toy-1',
    ticket: state.tickets.issue(exchange.name, participant),
    weight,
    milliseconds: 10,
    frame: trainFrame(state.forms.layouts.train, [Float32Array.from(values)], { weight }),
  });
  const messages = (name: DownName) => sent.filter((one) => one.name === name);
  const kinds = () => events.map(({ kind }) => kind);
  return {
    options,
    state,
    log,
    clock,
    sent,
    messages,
    events,
    kinds,
    rounds,
    told,
    join,
    openRound,
    answerOf,
  };
}
