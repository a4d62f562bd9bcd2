import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Coordinator, noLimits, startCoordinator, threadedModels } from '@coppice/coordinator';
import type { OwnTests } from './own-test.ts';

/** Threads that evaluate, each with a copy of the test data. */
const EVALUATION_THREADS = 4;
/** Pauses before a round is retried, in milliseconds: simulated clients are always present, so they are short. */
const RETRY_PAUSES = { first: 10, longest: 100 };

/** Clean-up functions, called in reverse at the end. */
export type CleanUp = () => unknown;

/**
 * Starts a coordinator in this process.
 *
 * @param tests test data by task, which may be added while it runs.
 * @param dataDir its data folder; `null`: a temporary one, which is deleted at the end.
 */
export async function ownCoordinator(
  dataDir: string | null,
  cleanUp: CleanUp[],
  tests: OwnTests,
): Promise<{ url: string; key: string }> {
  const folder = dataDir ?? (await mkdtemp(join(tmpdir(), 'coppice-simulate-')));
  if (dataDir === null) cleanUp.push(() => rm(folder, { recursive: true, force: true }));
  // No client trains during an evaluation: all processors are free.
  const models = threadedModels({
    threads: Math.min(EVALUATION_THREADS, availableParallelism()),
    eager: true,
    trusted: true,
  });
  cleanUp.push(() => models.close());
  const coordinator: Coordinator = await startCoordinator({
    config: { ...noLimits, port: 0, dataDir: folder, operator: 'a simulation' },
    // A temporary folder does not outlive this process: a disk that lags behind loses nothing.
    flush: dataDir !== null,
    retryPauses: RETRY_PAUSES,
    models: {
      ...models,
      evaluate: (task, weights) =>
        tests.has(task.id) ? tests.evaluate(task, weights) : models.evaluate(task, weights),
    },
  });
  cleanUp.push(() => coordinator.close());
  return { url: coordinator.url, key: coordinator.adminKey };
}
