import { cpus, totalmem } from 'node:os';
import {
  onStopRequest,
  print,
  READER_GONE,
  Results,
  Starter,
  standardError,
  surviveBrokenStreams,
} from '@coppice/coordinator/process';
import { CoppiceError } from '@coppice/protocol';
import { ClientThreads } from './client-threads.ts';
import { readOptions, reported, type SimulateOptions, UsageError, usage } from './options.ts';
import { writeReport } from './report/report.ts';
import type { SimulationObserver, SimulationResult } from './simulation.ts';
import { createProgress } from './terminal/progress.ts';
import { finalTable } from './terminal/table.ts';

/** Standard output of the rounds and the result: the run ends when its reader is gone. */
const interrupted = new AbortController();
const results = new Results(() => interrupted.abort());

const EXIT = { done: 0, failed: 1, usage: 2, targetMissed: 3 } as const;

/** `pnpm simulate`. */
async function main(): Promise<number> {
  const starter = new Starter();
  const options = readOptions(process.argv.slice(2), process.env);
  if (options === 'help') return print(usage());
  onStopRequest({ starter, stop: () => interrupted.abort() });
  const startedAt = Date.now();
  // Threads load what they need while this one loads a coordinator.
  const threads = new ClientThreads(options.processes);
  const { simulate } = await import('./simulation.ts').catch(async (thrown: unknown) => {
    await threads.close();
    throw thrown;
  });
  const run: Simulate = (observer) => simulate(options, observer, interrupted.signal, threads);
  const result = options.json ? await runJson(run) : await runOnTerminal(options, run);
  if (options.report !== null) await report(options, result, startedAt);
  const written = await results.settled();
  if (written !== EXIT.done) return written;
  const { targetAccuracy, targetValue } = options.plan;
  const isAimed = typeof targetAccuracy === 'number' || typeof targetValue === 'number';
  return isAimed && result.done.roundsToTarget === null ? EXIT.targetMissed : EXIT.done;
}

type Simulate = (observer: SimulationObserver) => Promise<SimulationResult>;

/** An error that the progress display has already shown. */
class AlreadyTold extends Error {
  constructor(cause: unknown) {
    super('already told', { cause });
  }
}

const rounds: Parameters<SimulationObserver['onRound']>[0][] = [];

async function runJson(simulate: Simulate): Promise<SimulationResult> {
  const line = (value: unknown) => results.write(`${JSON.stringify(value)}\n`);
  const result = await simulate({
    onJoined: () => {},
    onRound: (event) => {
      rounds.push(event);
      line(event);
    },
    onAbandoned: ({ round, reason }) =>
      standardError.write(`Round ${round} was abandoned: ${reason?.message}\n`),
    onProgress: () => {},
  });
  line(result.done);
  return result;
}

async function runOnTerminal(options: SimulateOptions, simulate: Simulate): Promise<SimulationResult> {
  const progress = createProgress(results.stream, { rounds: options.plan.rounds, clients: options.clients });
  try {
    const result = await simulate({
      onJoined: (clients) => progress.joined(clients),
      onRound: (event) => {
        rounds.push(event);
        progress.round(event);
      },
      onAbandoned: ({ round, reason }) => progress.note(`Round ${round} was abandoned: ${reason?.message}`),
      onProgress: (accepted, asked) => progress.within(accepted, asked),
    });
    progress.done(result.done);
    results.write(`\n${finalTable(rounds, result.done, options.plan.targetAccuracy ?? null)}\n`);
    return result;
  } catch (thrown) {
    const error = thrown instanceof UsageError ? thrown : CoppiceError.from(thrown);
    progress.fail(error instanceof CoppiceError ? `${error.message} [${error.code}]` : error.message);
    throw new AlreadyTold(thrown);
  }
}

async function report(
  options: SimulateOptions,
  { done, task, partition }: SimulationResult,
  startedAt: number,
): Promise<void> {
  const { adminKey: _secret, json: _json, report: dir, ...flags } = reported(options);
  const processor = cpus();
  const files = await writeReport(dir as string, {
    options: flags,
    task: { id: task.id, title: task.title.en },
    parameters: task.parameters,
    rounds,
    done,
    partition,
    machine: {
      node: process.version,
      cpu: processor[0]?.model.trim() ?? 'unknown',
      cores: processor.length,
      memoryGiB: Math.round(totalmem() / 2 ** 30),
      platform: `${process.platform} ${process.arch}`,
    },
    startedAt,
  });
  standardError.write(`Report: ${files.join(', ')}\n`);
}

surviveBrokenStreams();
main().then(
  (code) => {
    process.exitCode = code;
  },
  (failure: unknown) => {
    if (results.readerGone) {
      process.exitCode = READER_GONE;
      return;
    }
    const told = failure instanceof AlreadyTold;
    const thrown = told ? failure.cause : failure;
    process.exitCode = thrown instanceof UsageError ? EXIT.usage : EXIT.failed;
    if (told) return;
    if (thrown instanceof UsageError) {
      standardError.write(`${thrown.message}\n`);
      return;
    }
    const error = CoppiceError.from(thrown);
    standardError.write(`${error.message} [${error.code}]\n`);
    if (error.code === 'internal' && error.cause instanceof Error)
      standardError.write(`${error.cause.stack}\n`);
  },
);
