import type { Client } from '@coppice/client/session';
import { CoppiceError } from '@coppice/protocol';
import { expect, it } from 'vitest';
import type { ReleasedModel } from './api.ts';
import { Released } from './released.ts';

/** Clients of which only their calls are known, by their tasks. */
function start() {
  const calls: unknown[][] = [];
  const told: (ReleasedModel | null)[] = [];
  const made = { id: 'one', checkpoint: 'iris-1/3', hash: 'h' };
  let predict: (task: string) => Promise<object> = async () => ({
    ...made,
    classes: [
      { name: 'a', probability: 0.25 },
      { name: 'b', probability: 0.75 },
    ],
  });
  const ended = new Map<string, () => void>();
  const models = new Map<string, (model: { hash: string } | null) => void>();
  const open = (task: string) => {
    calls.push(['open', task]);
    return {
      predict(input: unknown, how: unknown) {
        calls.push(['predict', task, input, how]);
        return predict(task);
      },
      on(_event: string, heard: (model: { hash: string } | null) => void) {
        models.set(task, heard);
      },
      use: async (id: string) => void calls.push(['use', task, id]),
      outcome: async (id: string, label: number) => {
        calls.push(['outcome', task, id, label]);
        return id === 'one';
      },
      monitor: async (terms: unknown) => void calls.push(['monitor', task, terms]),
      unmonitor: async () => void calls.push(['unmonitor', task]),
      close() {
        calls.push(['close', task]);
        ended.get(task)?.();
      },
    } as unknown as Client;
  };
  const released = new Released({
    open,
    unmonitor: async (task) => void calls.push(['session unmonitors', task]),
    told: (model) => told.push(model),
  });
  return {
    released,
    calls,
    told,
    models,
    made,
    answers(next: typeof predict) {
      predict = next;
    },
    /** Keeps predictions of a task until its client is closed, as a client does. */
    waitsForClose(task: string) {
      predict = () =>
        new Promise((_resolve, reject) => ended.set(task, () => reject(new Error('This client was closed'))));
    },
  };
}

const input = Float32Array.of(1, 2);

it('gives probabilities or a value, and counts nothing by itself', async () => {
  const { released, calls, answers, made } = start();
  expect(await released.predict('iris', input)).toEqual({
    id: 'one',
    checkpoint: 'iris-1/3',
    output: [0.25, 0.75],
  });
  answers(async () => ({ ...made, value: 3.5, unit: null }));
  expect((await released.predict('iris', input))?.output).toEqual([3.5]);
  expect(calls).toEqual([
    ['open', 'iris'],
    ['predict', 'iris', input, { count: false }],
    ['predict', 'iris', input, { count: false }],
  ]);
});

it('has no answer where nothing is released, and hands on other failures', async () => {
  const { released, answers } = start();
  const fail = (code: 'checkpoint-unknown' | 'connection-lost') =>
    answers(() => Promise.reject(new CoppiceError(code, 'No.')));
  fail('checkpoint-unknown');
  expect(await released.predict('iris', input)).toBeNull();
  fail('connection-lost');
  await expect(released.predict('iris', input)).rejects.toMatchObject({ code: 'connection-lost' });
});

it('closes the client of the task before, whose question stays without an answer', async () => {
  const { released, calls, waitsForClose, answers, made } = start();
  waitsForClose('iris');
  const asked = released.predict('iris', input);
  answers(async () => ({ ...made, value: 1, unit: null }));
  await released.predict('digits', input);
  expect(await asked).toBeNull();
  expect(calls.filter(([name]) => name !== 'predict')).toEqual([
    ['open', 'iris'],
    ['close', 'iris'],
    ['open', 'digits'],
  ]);
});

it('counts, corrects and reports by the client of the task', async () => {
  const { released, calls } = start();
  expect(await released.correct('one', 1)).toBe(false);
  const terms = { consent: 'c' };
  await released.monitor('iris', terms);
  await released.use('one');
  expect([await released.correct('one', 1), await released.correct('old', 1)]).toEqual([true, false]);
  await released.unmonitor('iris');
  await released.unmonitor('digits');
  expect(calls).toEqual([
    ['open', 'iris'],
    ['monitor', 'iris', terms],
    ['use', 'iris', 'one'],
    ['outcome', 'iris', 'one', 1],
    ['outcome', 'iris', 'old', 1],
    ['unmonitor', 'iris'],
    ['session unmonitors', 'digits'],
  ]);
});

it('goes on with the reports on a task that is asked about again, until they are ended', async () => {
  const { released, calls } = start();
  const terms = { consent: 'c' };
  await released.monitor('iris', terms);
  await released.predict('digits', input);
  await released.predict('iris', input);
  await released.predict('digits', input);
  await released.unmonitor('iris');
  await released.predict('iris', input);
  expect(calls.filter(([name, task]) => task === 'iris' && name !== 'predict' && name !== 'close')).toEqual([
    ['open', 'iris'],
    ['monitor', 'iris', terms],
    ['open', 'iris'],
    ['monitor', 'iris', terms],
    ['session unmonitors', 'iris'],
    ['open', 'iris'],
  ]);
});

it('tells of the model that predicts, with its task', async () => {
  const { released, told, models } = start();
  await released.predict('iris', input);
  models.get('iris')?.({ hash: 'h' });
  models.get('iris')?.(null);
  expect(told).toEqual([{ task: 'iris', hash: 'h' }, null]);
});
