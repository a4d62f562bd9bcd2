import { readFileSync } from 'node:fs';
import { memorySpool, memoryStorage, startCoordinator } from '@coppice/coordinator';
import { createHeadlessParticipant, trainerHost } from '@coppice/participant/node';
import { seededRandom, uniform } from '@coppice/ports';
import type { Round, Run } from '@coppice/protocol';
import { createTrainer } from '@coppice/training';
import { expect, it, onTestFinished } from 'vitest';

/* A task with measures of its own, from its creation to the rounds of a run, with real participants. */

const DEVICES = 6;
const host = trainerHost(createTrainer, ['planned']);

/** The second class lies above a line; of the first there are four times as many. */
function examplesOf(index: number, count: number) {
  const random = seededRandom('metrics', index);
  const rows = Array.from({ length: count }, () => Array.from({ length: 4 }, () => 2 * uniform(random) - 1));
  const isAbove = ([a, b]: number[]) => (a as number) + (b as number) > 0.9;
  return {
    count,
    features: Float32Array.from(rows.flat()),
    labels: Float32Array.from(rows, (row) => (isAbove(row) ? 1 : 0)),
  };
}

async function start() {
  const coordinator = await startCoordinator({
    config: { port: 0, logLevel: 'silent' },
    storage: memoryStorage(),
    spool: memorySpool(),
  });
  onTestFinished(() => coordinator.close());
  const call = async <T>(method: string, path: string, body?: object): Promise<T> => {
    const response = await fetch(`${coordinator.url}/api/${path}`, {
      method,
      headers: { authorization: `Bearer ${coordinator.adminKey}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return (await response.json()) as T;
  };
  return { coordinator, call };
}

async function roundsOf(
  task: object,
  examples: (index: number) => ReturnType<typeof examplesOf>,
  plan: object,
): Promise<Round[]> {
  const { coordinator, call } = await start();
  const { id } = await call<{ id: string }>('POST', 'tasks', task);
  const run = await call<Run>('POST', 'runs', {
    task: id,
    plan: { minParticipants: DEVICES, rounds: 3, epochs: 8, learningRate: 0.5, ...plan },
  });
  const sessions = Array.from({ length: DEVICES }, (_, i) =>
    createHeadlessParticipant({
      url: coordinator.url,
      identity: `metrics/${i}`,
      examples: examples(i),
      heldOut: 0.5,
      host,
      backend: 'planned',
    }),
  );
  onTestFinished(() => {
    for (const session of sessions) session.close();
  });
  for (const session of sessions) {
    session.connect();
    void session.join(run.id);
  }
  await expect
    .poll(async () => (await call<Run>('GET', `runs/${run.id}`)).status, { timeout: 30_000, interval: 50 })
    .toBe('finished');
  return call<Round[]>('GET', `runs/${run.id}/rounds`);
}

const sigmoid = JSON.parse(
  readFileSync(new URL('./cases/models/sigmoid-binary.json', import.meta.url), 'utf8'),
) as object;

it('trains one sigmoid unit with class weights, and measures areas and F1 over all participants', async () => {
  const task = { ...sigmoid, classWeights: [1, 4], metrics: ['auroc', 'prAuc', 'recall', 'f1'] };
  const rounds = await roundsOf(task, (i) => examplesOf(i, 200), {});
  const last = rounds.at(-1)?.federated;
  expect(last?.values?.auroc).toBeGreaterThan(0.95);
  expect(last?.values?.recall).toBeGreaterThan(0.8);
  expect(last?.classes).toHaveLength(2);
  // The class that is weighed four times is found at the cost of the other.
  expect(last?.classes?.[1]?.recall).toBe(last?.values?.recall);
  expect((last?.classes ?? []).reduce((sum, { examples }) => sum + examples, 0)).toBe(last?.examples);
});
