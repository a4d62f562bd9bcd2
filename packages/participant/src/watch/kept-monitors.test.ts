import { recipeHash } from '@coppice/protocol';
import { anyValue, mutated, survives } from '@coppice/protocol/testing';
import 'fake-indexeddb/auto';
import fc from 'fast-check';
import { deleteDB } from 'idb';
import { beforeEach, describe, expect, it } from 'vitest';
import { idbInputs, idbMonitors, openWatchDb } from '../browser/idb-watch.ts';
import { keptInputsContract, keptMonitorsContract } from '../contract.ts';
import { Counting } from './counting.ts';
import { memoryInputs } from './memory-inputs.ts';
import { memoryMonitors } from './memory-monitors.ts';
import { termsOf, type WatchTerms } from './terms.ts';
import { binningOf, RELEASED, toy, watchOf } from './watched.testing.ts';

keptMonitorsContract('memory', async () => {
  const kept = memoryMonitors();
  return { kept, reopen: async () => kept, close: async () => {} };
});

keptInputsContract('memory', async (most) => {
  const inputs = memoryInputs(most);
  return { inputs, reopen: async () => inputs, close: async () => {} };
});

const counted = () => {
  const counting = new Counting(toy, termsOf(watchOf(binningOf(0)), toy) as WatchTerms);
  const predict = (x: number) =>
    counting.observe({ hash: RELEASED, example: Float32Array.of(x), output: [x], id: `p${x}` });
  for (const x of [1, 2, 3, 4]) predict(x);
  counting.report(1);
  for (const x of [5, 6]) predict(x);
  return counting;
};

describe('in a browser', () => {
  beforeEach(() => deleteDB('coppice-watch'));

  keptMonitorsContract('IndexedDB', async () => {
    let db = openWatchDb();
    await db;
    return {
      kept: idbMonitors(db),
      async reopen() {
        (await db).close();
        db = openWatchDb();
        return idbMonitors(db);
      },
      close: async () => (await db).close(),
    };
  });

  keptInputsContract('IndexedDB', async (most) => {
    let db = openWatchDb();
    await db;
    return {
      inputs: idbInputs(db, most),
      async reopen() {
        (await db).close();
        db = openWatchDb();
        return idbInputs(db, most);
      },
      close: async () => (await db).close(),
    };
  });

  it('reads no input that another program wrote', async () => {
    const db = await openWatchDb();
    await db.put('input', { task: 'toy', id: 'p1', at: 1, example: 'a picture' } as never);
    expect(await idbInputs(Promise.resolve(db)).take('toy', 'p1')).toBeNull();
    db.close();
  });

  it('names a full disk', async () => {
    const full = {
      put: async () => {
        throw new DOMException('no room', 'QuotaExceededError');
      },
    };
    const kept = idbMonitors(Promise.resolve(full as never));
    await expect(kept.put('toy', counted().kept())).rejects.toMatchObject({ code: 'storage-full' });
  });

  it('says so where the browser forbids it', async () => {
    const kept = idbMonitors(Promise.reject(new Error('denied')));
    await expect(kept.get('toy')).rejects.toMatchObject({ code: 'storage-failed' });
  });
});

describe('what was kept', () => {
  it('goes on, with the report that nothing came back for', () => {
    const before = counted();
    const after = Counting.read(JSON.parse(JSON.stringify(before.kept())), 'toy');
    expect(after?.counted).toEqual({ observations: 2, labelled: 0 });
    expect(after?.report(1)).toEqual(before.report(1));
    expect(after?.outcome('p1', 1)).toBe(true);
  });

  it.each([
    ['nothing', null],
    ['another form', { ...counted().kept(), form: 99 }],
    ['bins of another reference', { ...counted().kept(), terms: termsOf(watchOf(binningOf(9)), toy) }],
    [
      'counts that cannot be',
      { ...counted().kept(), monitor: { ...counted().kept().monitor, observations: 3 } },
    ],
  ])('is not used where it is %s', (_name, stored) => {
    expect(Counting.read(stored, 'toy')).toBeNull();
  });

  it('is of its task alone', () => {
    expect(Counting.read(counted().kept(), 'other')).toBeNull();
  });

  it('is read, or not there, whatever it is', async () => {
    const like = JSON.parse(JSON.stringify(counted().kept())) as never;
    await fc.assert(
      fc.asyncProperty(fc.oneof({ weight: 4, arbitrary: mutated(like) }, anyValue), async (stored) => {
        const result = await survives(async () => {
          const counting = Counting.read(stored, 'toy');
          counting?.observe({ hash: RELEASED, example: Float32Array.of(1), output: [1] });
          counting?.report(3);
          counting?.refused();
          return counting?.kept() ?? null;
        });
        expect(result).not.toHaveProperty('refused');
      }),
      { numRuns: 300 },
    );
  });
});

it('takes at most 1 MB with 100 columns and 10,000 predictions that await their outcome', () => {
  const features = Array.from({ length: 100 }, (_, i) => ({ name: `x${i}`, mean: 0, scale: 1 }));
  const data = { ...toy.data, features } as typeof toy.data;
  const task = { ...toy, data };
  const edges = Array.from({ length: 9 }, (_, i) => i - 4);
  const terms = {
    ...(termsOf(watchOf(binningOf(0)), toy) as WatchTerms),
    binning: {
      ...binningOf(0),
      columns: features.map(({ name }) => ({ kind: 'number' as const, name, edges, range: null })),
    },
  };
  const counting = new Counting(task, terms);
  const example = new Float32Array(100);
  for (let i = 0; i < 10_000; i++)
    counting.observe({ hash: RELEASED, example, output: [i], id: i.toString(16).padStart(32, '0') });
  counting.report(1);
  for (let i = 0; i < 10_000; i++)
    counting.observe({ hash: RELEASED, example, output: [i], id: i.toString(16).padStart(32, '1') });
  expect(JSON.stringify(counting.kept()).length).toBeLessThan(1_000_000);
});

it('counts nothing where errors are to be told by other groups than the task declares', () => {
  const column = { kind: 'category' as const, name: 'device', values: ['phone', 'tablet'] };
  const declaring = (groups?: string) => ({
    data: {
      kind: 'table' as const,
      features: [column, { ...column, name: 'town' }],
      target: { kind: 'number' as const, name: 'y' },
      ...(groups === undefined ? {} : { groups }),
    },
  });
  const asking = (groups?: string) =>
    watchOf({
      ...binningOf(0),
      recipe: recipeHash(declaring().data),
      columns: [
        { kind: 'category', name: 'device', values: 2 },
        { kind: 'category', name: 'town', values: 2 },
      ],
      ...(groups === undefined ? {} : { groups }),
    });
  for (const groups of [undefined, 'device', 'town']) {
    const info = asking(groups);
    expect(termsOf(info, declaring(groups))?.consent).toBe(info.consent);
    for (const others of [undefined, 'device', 'town'].filter((one) => one !== groups))
      expect(() => termsOf(info, declaring(others))).toThrowError(
        expect.objectContaining({ code: 'report-mismatch' }),
      );
  }
});
