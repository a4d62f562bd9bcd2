import { serialize } from 'node:v8';
import { consentVersion, defaultWatch, identityOf, Monitor, summarise } from '@coppice/continuity';
import { builtInTask, normaliseFeatures } from '@coppice/datasets';
import { loadTaskData } from '@coppice/datasets/node';
import { Counting, termsOf } from '@coppice/participant/watch';
import { seededRandom } from '@coppice/ports';
import type { Json, Task } from '@coppice/protocol';
import { createTrainer } from '@coppice/training';
import { drawPredictions, reportedBinning, wideTask } from './wide-task.ts';

/** Predictions in a day, each with an outcome. */
const DAY = 10_000;
/** Predictions that are drawn; they come again and again. */
const DRAWN = 500;
/** Of so many writes one is made, and counts for all. */
const WRITTEN = 50;
/** Predictions until the outcome of one comes: about as many as may be awaited. */
const LATE = 4000;
/** Digits of the loop of predictions. */
const DIGITS = 200;
const HASH = 'cd'.repeat(32);

const cpu = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};

function countingOf(task: Task): Counting {
  const binning = reportedBinning(task);
  const periodMilliseconds = 24 * 3600 * 1000;
  const { minimum } = defaultWatch;
  const terms = termsOf(
    {
      task: task.id,
      state: 'reports',
      consent: consentVersion({ binning, periodMilliseconds, minimum }),
      periodMilliseconds,
      minimum,
      privacy: null,
      release: { sequence: 1, checkpoint: 'run-1/1', hash: HASH },
      reference: { identity: identityOf(binning), binning: binning as unknown as Json },
    },
    task,
  );
  if (terms === null) throw new Error('nothing is watched');
  return new Counting(task, terms);
}

export interface DeviceDay {
  /** Milliseconds of CPU of a whole day. */
  readonly whole: () => number;
  /** The most bytes of what is kept, as browsers store it. */
  readonly bytes: () => number;
}

/**
 * A day of predictions and outcomes on one device. They are 8.6 s apart, so that what is counted is written after each, at
 * the price of a structured clone; at the end of the day comes the report.
 */
export function deviceDay(columns: number): DeviceDay {
  const task = wideTask(columns);
  const { examples, outputs } = drawPredictions(columns, DRAWN, seededRandom('device', columns));
  let bytes = 0;
  let day = 0;
  return {
    bytes: () => bytes,
    whole() {
      const counting = countingOf(task);
      day++;
      let writing = 0;
      const began = cpu();
      for (let i = 0; i < DAY; i++) {
        const at = i % DRAWN;
        counting.observe({
          hash: HASH,
          example: examples.subarray(at * columns, (at + 1) * columns),
          output: outputs.subarray(3 * at, 3 * at + 3),
          id: idOf(day, i),
        });
        // Outcomes come half a day late, as many as may be awaited.
        if (i >= LATE) counting.outcome(idOf(day, i - LATE), i % 3);
        if (i % WRITTEN !== 0) continue;
        const before = cpu();
        bytes = Math.max(bytes, serialize(counting.kept()).byteLength);
        writing += cpu() - before;
      }
      for (let i = DAY; i < DAY + LATE; i++) counting.outcome(idOf(day, i - LATE), i % 3);
      if (counting.report(1) === null) throw new Error('nothing was reported');
      bytes = Math.max(bytes, serialize(counting.kept()).byteLength);
      return cpu() - began + (WRITTEN - 1) * writing;
    },
  };
}

/** 32 characters, as the ids of predictions have. */
function idOf(day: number, i: number): string {
  return `${day}-${i}`.padStart(32, '0');
}

/** The loop of predictions of digits by mnist-2nn, without and with what is counted of them; microseconds of CPU a prediction. */
export async function predictionLoop() {
  const task = builtInTask('mnist-2nn') as Task;
  const { train } = await loadTaskData(task.id);
  const pixels = train.features as Uint8Array;
  const trainer = await createTrainer(
    { topology: task.model, data: task.data, loss: task.loss },
    { backend: 'planned', seed: 1 },
  );
  const counting = countingOf(task);
  const digits = Array.from({ length: DIGITS }, (_, i) => pixels.subarray(i * 784, (i + 1) * 784));
  // More than may be awaited, so that each is a new one.
  const ids = Array.from({ length: 10_000 }, (_, i) => idOf(0, i));
  let next = 0;
  const predictions: Omit<Parameters<Counting['observe']>[0], 'id'>[] = [];
  for (const example of digits) {
    const { outputs: output, features } = await trainer.predictWithFeatures(example, 1);
    predictions.push({ hash: HASH, example, output, features });
  }
  return {
    /** Alone. */
    predict: async () => {
      const began = cpu();
      for (let turn = 0; turn < LOOPS; turn++)
        for (const example of digits)
          await trainer.predictWithFeatures(normaliseFeatures(example, task.data), 1);
      return (1000 * (cpu() - began)) / DIGITS / LOOPS;
    },
    /** What counting adds. */
    count: () => {
      const began = cpu();
      for (let turn = 0; turn < LOOPS; turn++)
        for (const prediction of predictions)
          counting.observe({ ...prediction, id: ids[next++ % ids.length] as string });
      return (1000 * (cpu() - began)) / DIGITS / LOOPS;
    },
    /** A period's report, once a period. */
    summarise: () => {
      const binning = counting.terms.binning;
      const monitor = new Monitor(binning, counting.terms.identity);
      for (let i = 0; i < 100; i++)
        monitor.observe({
          columns: binning.columns.map(() => (i % 10) / 10),
          prediction: i % 10,
          confidence: 0.5,
        });
      const state = monitor.state();
      const began = cpu();
      for (let turn = 0; turn < SUMMARISE_TURNS; turn++) summarise(state, binning);
      return (1000 * (cpu() - began)) / SUMMARISE_TURNS;
    },
    dispose: () => trainer.dispose(),
  };
}

/** Times that all digits are predicted or counted in one turn. */
const LOOPS = 50;
const SUMMARISE_TURNS = 50;
