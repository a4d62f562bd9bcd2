import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Coordinator, startCoordinator } from '@coppice/coordinator';
import { freePort } from '@coppice/coordinator/free-port';
import { parsePartition, partition, selectExamples } from '@coppice/datasets';
import { loadTaskData } from '@coppice/datasets/node';
import type { Session } from '@coppice/participant';
import { createHeadlessParticipant, trainerHost } from '@coppice/participant/node';
import { createTrainer } from '@coppice/training';

export const ADMIN_KEY = 'end-to-end-key';

/** A coordinator that can stop and restart at the same address, with the same data. */
export interface World {
  readonly coordinator: Coordinator;
  readonly url: string;
  stop(): Promise<void>;
  /** Restarts the coordinator. `adminKey`: its key from then on. */
  startAgain(adminKey?: string): Promise<void>;
  close(): Promise<void>;
}

/** @param allowOrigin an origin whose pages may take part, beside the coordinator's own. */
export async function startWorld({
  allowOrigin = null,
}: {
  allowOrigin?: string | null;
} = {}): Promise<World> {
  const folder = mkdtempSync(join(tmpdir(), 'coppice-e2e-'));
  const port = await freePort();
  const start = (adminKey = ADMIN_KEY) =>
    startCoordinator({
      config: {
        port,
        dataDir: folder,
        adminKey,
        operator: 'the end-to-end tests',
        logLevel: 'error',
        allowOrigin,
      },
    });
  let coordinator = await start();
  const { url } = coordinator;
  return {
    get coordinator() {
      return coordinator;
    },
    url,
    stop: () => coordinator.close(),
    async startAgain(adminKey) {
      coordinator = await start(adminKey);
    },
    async close() {
      await coordinator.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Connects headless participants, each with a share of a task's data, on this thread. */
export async function headless(
  url: string,
  run: string,
  {
    count,
    examples,
    invitation = null,
    task = 'mnist-2nn',
  }: { count: number; examples: number; invitation?: string | null; task?: string },
): Promise<Session[]> {
  const { train } = await loadTaskData(task);
  const shares = partition(train.labels, Math.floor(train.count / examples), parsePartition('iid'), 'e2e');
  const host = trainerHost(createTrainer, ['wasm']);
  const sessions = Array.from({ length: count }, (_, i) =>
    createHeadlessParticipant({
      url,
      identity: `e2e headless ${i}`,
      host,
      backend: 'wasm',
      examples: selectExamples(train, shares[i] as Uint32Array),
    }),
  );
  for (const session of sessions) {
    session.connect();
    await session.join(run, invitation);
  }
  return sessions;
}

/** Trains a task with two headless participants for two rounds. @returns the finished run's id. */
export async function trained({ coordinator, url }: World, task: string, examples: number): Promise<string> {
  const plan = { rounds: 2, minParticipants: 2, overSelection: 1, quorum: 1 };
  const { id } = await coordinator.runs.create(task, plan, true);
  const finished = new Promise<void>((resolve) => {
    const stop = coordinator.runs.subscribe({
      runChanged: (run) => {
        if (run !== id || coordinator.runs.get(run).status !== 'finished') return;
        stop();
        resolve();
      },
      participantsChanged: () => {},
      roundChanged: () => {},
    });
  });
  const sessions = await headless(url, id, { count: 2, examples, task });
  await finished;
  for (const session of sessions) session.close();
  return id;
}
