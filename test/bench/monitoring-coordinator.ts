import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import {
  type Binning,
  BinningSchema,
  consentVersion,
  defaultWatch,
  firstBinning,
  layoutOf,
  type ReportKind,
  reportLayout,
} from '@coppice/continuity';
import { memorySpool, memoryStorage } from '@coppice/coordinator';
import { MonitoredTasks } from '@coppice/coordinator/watch';
import { ManualClock } from '@coppice/ports';
import {
  type Answer,
  contributionHash,
  contributionSize,
  encodeFrame,
  float32Payload,
  type TaskAsk,
} from '@coppice/protocol';
import { drawnReports, drawnStatistics } from './drawn-reports.ts';
import { cpuMilliseconds, TurnMeter } from './turn-meter.ts';
import { wideTask } from './wide-task.ts';

const DAY = 24 * 3600 * 1000;
const HASH = 'cd'.repeat(32);
/** Bytes of answers in one turn of the event loop, as the coordinator reads them from its sockets (`realtime/intake.ts`). */
const READ_A_TURN = 2 << 20;
/** Participants of the two parts of a reference. */
const OF_REFERENCE = 500;

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** Bytes of live memory: the heap, and the buffers outside of it. */
async function memory(): Promise<number> {
  for (let i = 0; i < 3; i++) {
    await turn();
    collect();
  }
  const { heapUsed, external, arrayBuffers } = process.memoryUsage();
  return heapUsed + Math.max(external, arrayBuffers);
}

export interface WatchedExchange {
  /** Milliseconds of CPU of the whole exchange of reports, its verdict included. */
  readonly cpu: number;
  /** Milliseconds of the longest turn of the event loop, in CPU time: of the parts of the reference, and of the reports. */
  readonly longest: { readonly reference: number; readonly reports: number };
  /** Bytes that each of the participants takes while the exchange is open, and all together after it. */
  readonly memory: { readonly each: number; readonly after: number };
  /** Numbers of a report. */
  readonly numbers: number;
}

/**
 * The reference of a wide task by two exchanges of statistics, then one exchange of reports, as the coordinator runs them from a
 * policy; without sockets, and with a spool that keeps nothing, so that memory is that of the exchange.
 */
export async function watchedExchange(columns: number, participants: number): Promise<WatchedExchange> {
  const task = wideTask(columns);
  const storage = memoryStorage();
  const spool = { ...memorySpool(), append: () => Promise.resolve() };
  const clock = new ManualClock(100 * DAY);
  const questions = new Map<string, TaskAsk>();
  const by = { by: 'admin', name: 'bench' } as const;
  const policy = {
    version: 1,
    periodMilliseconds: DAY,
    watch: defaultWatch,
    privacy: null,
    trigger: null,
    plan: {},
    gate: null,
    canary: null,
  } as const;
  await storage.putPolicy({ task: task.id, expected: null, at: clock.now(), by, policy });
  let periods = 0;
  const monitored = new MonitoredTasks({
    storage,
    spool,
    clock,
    tasks: { get: () => task, all: () => [task] },
    releases: {
      at: async () => ({
        task: task.id,
        sequence: 1,
        channel: 'production',
        checkpoint: 'run-1/1',
        hash: HASH,
        at: clock.now(),
        by,
        reason: 'bench',
        evidence: null,
        before: null,
        undoes: null,
      }),
      subscribe: () => () => {},
    },
    policies: { subscribe: () => () => {} },
    trainingWindow: () => null,
    armOf: () => 'none',
    newSecret: () => 'a secret of the task, with more than 128 bits',
    admissions: { refusal: () => null },
    events: { add: () => {} },
    judged: async () => {
      periods++;
    },
    failed: (_task, error) => {
      throw error;
    },
    audience: {
      send: (to, _name, message) => {
        for (const one of to) questions.set(one, message as unknown as TaskAsk);
      },
    },
  });
  await monitored.recover();
  const meter = new TurnMeter();
  const first = firstBinning(task);
  const claim = {
    consent: consentVersion({ binning: first, periodMilliseconds: DAY, minimum: defaultWatch.minimum }),
    recipe: first.recipe,
  };
  const names = Array.from({ length: participants }, (_, i) => `participant-${i}`);

  /** Lets so many participants answer what is asked now. */
  const answer = async (some: readonly string[]) => {
    const { reference, state } = await monitored.info(task.id);
    const kind = state === 'reference' ? 'statistics' : 'report';
    const frames = framesOf(kind, BinningSchema.parse(reference?.binning), reference?.identity ?? '');
    const began = cpuMilliseconds();
    meter.longest();
    const atOnce = Math.max(1, Math.floor(READ_A_TURN / (frames[0]?.byteLength ?? 1)));
    for (let at = 0; at < some.length; at += atOnce) {
      const taken = some.slice(at, at + atOnce).map((participant, i) => {
        const ask = questions.get(participant);
        if (ask === undefined) throw new Error(`${participant} was not asked`);
        const answered: Answer = {
          task: task.id,
          ticket: ask.ticket,
          weight: 1,
          milliseconds: 1,
          frame: frames[(at + i) % frames.length] as Answer['frame'],
        };
        return monitored.answers.take(task.id, participant, answered);
      });
      await Promise.all(taken);
      await turn();
    }
    return { cpu: cpuMilliseconds() - began, longest: meter.longest() };
  };
  /** Lets time pass until what is asked for next is there. */
  const close = async (milliseconds: number, isOver: () => boolean | Promise<boolean>) => {
    const began = cpuMilliseconds();
    meter.longest();
    questions.clear();
    clock.advance(milliseconds);
    // In turns of this loop: all that follows is work of this process.
    while (!(await isOver())) await turn();
    return { cpu: cpuMilliseconds() - began, longest: meter.longest() };
  };

  const some = names.slice(0, OF_REFERENCE);
  for (const name of some) monitored.offers.comes(task.id, name, claim);
  const ofReference: number[] = [];
  for (const state of ['reference', 'reports'] as const) {
    const { reference } = await monitored.info(task.id);
    ofReference.push((await answer(some)).longest);
    const isNext = async () => {
      const info = await monitored.info(task.id);
      return info.state === state && info.reference?.identity !== reference?.identity;
    };
    ofReference.push((await close(600_000, isNext)).longest);
    while (questions.size < some.length) await turn();
  }

  const before = await memory();
  for (const name of names.slice(OF_REFERENCE)) monitored.offers.comes(task.id, name, claim);
  meter.longest();
  const taken = await answer(names);
  const open = await memory();
  const closed = await close(DAY, () => periods === 1);
  while (questions.size < names.length) await turn();
  const asking = meter.longest();
  questions.clear();
  const after = await memory();
  meter.stop();
  const { binning } = (await monitored.info(task.id)).reference ?? {};
  await monitored.stop();
  const layout = reportLayout(BinningSchema.parse(binning), '');
  return {
    cpu: taken.cpu + closed.cpu,
    longest: {
      reference: Math.max(...ofReference),
      reports: Math.max(taken.longest, closed.longest, asking),
    },
    memory: { each: (open - before) / participants, after: after - before },
    numbers: contributionSize(layout),
  };
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Reports, or statistics, as they are sent. */
function framesOf(kind: ReportKind, binning: Binning, identity: string): Uint8Array[] {
  const layout = layoutOf(kind, binning, identity);
  const layoutHash = contributionHash(layout);
  return (kind === 'report' ? drawnReports : drawnStatistics)(binning, identity).map((numbers) =>
    encodeFrame({
      kind: 'contribution',
      codec: 'float32',
      layoutHash,
      parameters: contributionSize(layout),
      payload: float32Payload(numbers),
    }),
  );
}
