import { cpus, totalmem } from 'node:os';
import {
  onStopRequest,
  print,
  READER_GONE,
  Results,
  Starter,
  type StopSignal,
  standardError,
  surviveBrokenStreams,
} from '@coppice/coordinator/process';
import { CoppiceError, classesOf } from '@coppice/protocol';
import { ClientThreads } from './client-threads.ts';
import type { RoundEvent } from './events.ts';
import { readOptions, reported, UsageError, usage } from './options.ts';
import { Report, type ReportInput } from './report/report.ts';
import type { Prepared, SimulationObserver, SimulationResult } from './simulation.ts';
import { createProgress, type Progress } from './terminal/progress.ts';
import { finalTable } from './terminal/table.ts';

/** Standard output of the rounds and the result: the run ends when its reader is gone. */
const interrupted = new AbortController();
const results = new Results(() => interrupted.abort());

const EXIT = { done: 0, failed: 1, usage: 2, targetMissed: 3 } as const;
/** The exit codes of programs that signals end: 128 and the signal's number. */
const SIGNALLED: Readonly<Record<StopSignal, number>> = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 };
let signalled: StopSignal | null = null;

/** `pnpm simulate`. */
async function main(): Promise<number> {
  const starter = new Starter();
  const options = readOptions(process.argv.slice(2), process.env);
  if (options === 'help') return print(usage());
  onStopRequest({
    starter,
    stop: (signal) => {
      signalled = signal;
      interrupted.abort();
    },
  });
  const startedAt = Date.now();
  // Threads load what they need while this one loads a coordinator.
  const threads = new ClientThreads(options.processes);
  const { simulate } = await import('./simulation.ts').catch(async (thrown: unknown) => {
    await threads.close();
    throw thrown;
  });
  let report: Report | null = null;
  const shown = options.json ? new JsonLines() : new Terminal();
  const rounds: RoundEvent[] = [];
  const observer: SimulationObserver = {
    onPrepared(prepared) {
      if (options.report !== null)
        report = new Report(options.report, {
          hasError: classesOf(prepared.task.data) === null,
          metrics: prepared.task.metrics ?? [],
        });
      for (const note of prepared.notes) standardError.write(`${note}\n`);
      shown.onPrepared(prepared);
    },
    onJoined: (clients) => shown.onJoined(clients),
    onResumed(earlier) {
      rounds.push(...earlier);
      for (const event of earlier) report?.round(event);
      shown.onResumed(earlier);
    },
    onRound(event) {
      rounds.push(event);
      report?.round(event);
      shown.onRound(event);
    },
    onAbandoned: (round) => shown.onAbandoned(round),
    onProgress: (accepted, asked) => shown.onProgress(accepted, asked),
  };
  const result = await simulate(options, observer, interrupted.signal, threads);
  if (result.error === null) shown.done(result, rounds);
  else shown.failed(result.error);
  // Set in a callback, which the compiler does not follow.
  const opened = report as Report | null;
  if (opened !== null) {
    const files = opened.finish(reportInput(result, rounds, startedAt), result.model);
    standardError.write(`Report: ${files.join(', ')}\n`);
  }
  if (result.error !== null) throw new AlreadyTold(result.error);
  const written = await results.settled();
  if (written !== EXIT.done) return written;
  const { targetAccuracy, targetValue } = options.plan;
  const isAimed = typeof targetAccuracy === 'number' || typeof targetValue === 'number';
  return isAimed && result.done.roundsToTarget === null ? EXIT.targetMissed : EXIT.done;
}

/** An error that was shown already. */
class AlreadyTold extends Error {
  constructor(cause: unknown) {
    super('already told', { cause });
  }
}

interface Shown extends SimulationObserver {
  done(result: SimulationResult, rounds: readonly RoundEvent[]): void;
  failed(error: CoppiceError): void;
}

const abandonedWords: (round: Parameters<SimulationObserver['onAbandoned']>[0]) => string = ({
  round,
  reason,
}) => `Round ${round} was abandoned: ${reason?.message}`;
const errorWords = (error: CoppiceError) => `${error.message} [${error.code}]`;
const resumedWords = (earlier: number, planned: number) => `Going on after round ${earlier} of ${planned}.`;

/** `--json`: a line of JSON for each new round and for the result, and the rest on standard error. */
class JsonLines implements Shown {
  #planned = 0;
  onPrepared({ rounds }: Prepared): void {
    this.#planned = rounds;
  }
  onJoined(): void {}
  onProgress(): void {}
  onResumed(earlier: readonly RoundEvent[]): void {
    standardError.write(`${resumedWords(earlier.length, this.#planned)}\n`);
  }
  onRound(event: RoundEvent): void {
    results.write(`${JSON.stringify(event)}\n`);
  }
  onAbandoned(round: Parameters<SimulationObserver['onAbandoned']>[0]): void {
    standardError.write(`${abandonedWords(round)}\n`);
  }
  done({ done }: SimulationResult): void {
    results.write(`${JSON.stringify(done)}\n`);
  }
  failed(error: CoppiceError): void {
    standardError.write(`${errorWords(error)}\n`);
  }
}

/** A bar or lines of progress, and a table at the end. */
class Terminal implements Shown {
  #progress: Progress | null = null;
  #planned = 0;
  onPrepared({ rounds, options }: Prepared): void {
    this.#planned = rounds;
    this.#progress = createProgress(results.stream, { rounds, clients: options.clients });
  }
  onJoined(clients: number): void {
    this.#progress?.joined(clients);
  }
  onProgress(accepted: number, asked: number): void {
    this.#progress?.within(accepted, asked);
  }
  onResumed(earlier: readonly RoundEvent[]): void {
    this.#progress?.note(resumedWords(earlier.length, this.#planned));
  }
  onRound(event: RoundEvent): void {
    this.#progress?.round(event);
  }
  onAbandoned(round: Parameters<SimulationObserver['onAbandoned']>[0]): void {
    this.#progress?.note(abandonedWords(round));
  }
  done({ done, options }: SimulationResult, rounds: readonly RoundEvent[]): void {
    this.#progress?.done(done);
    results.write(`\n${finalTable(rounds, done, options.plan.targetAccuracy ?? null)}\n`);
  }
  failed(error: CoppiceError): void {
    this.#progress?.fail(errorWords(error));
  }
}

function reportInput(
  result: SimulationResult,
  rounds: readonly RoundEvent[],
  startedAt: number,
): ReportInput {
  const { done, task, partition, fairness, error, model } = result;
  const {
    adminKey: _secret,
    invitation: _other,
    json: _json,
    report: _dir,
    ...flags
  } = reported(result.options);
  const processor = cpus();
  return {
    options: flags,
    task: { id: task.id, title: task.title.en },
    parameters: task.parameters,
    rounds,
    planned: result.rounds,
    done,
    early:
      error === null
        ? null
        : { how: interrupted.signal.aborted ? 'interrupted' : 'failed', reason: error.message },
    partition,
    fairness,
    hasModel: model !== null,
    machine: {
      node: process.version,
      cpu: processor[0]?.model.trim() ?? 'unknown',
      cores: processor.length,
      memoryGiB: Math.round(totalmem() / 2 ** 30),
      platform: `${process.platform} ${process.arch}`,
    },
    startedAt,
  };
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
    process.exitCode =
      thrown instanceof UsageError ? EXIT.usage : signalled === null ? EXIT.failed : SIGNALLED[signalled];
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
