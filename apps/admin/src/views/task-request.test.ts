import { CoppiceError, CreateTaskSchema } from '@coppice/protocol';
import { describe, expect, it } from 'vitest';
import { exampleTask } from './example-task.ts';
import { proposedFields } from './proposed-fields.ts';
import { blankTask, missingFields, taskRequest } from './task-request.ts';

describe('taskRequest', () => {
  it('makes of the example what the coordinator takes', () => {
    const request = taskRequest(exampleTask);
    expect(CreateTaskSchema.safeParse(request).error).toBeUndefined();
    expect(request.data).toMatchObject({
      kind: 'image',
      width: 8,
      classes: ['circle', 'square', 'triangle'],
    });
    expect(request.heldOut).toBe(0.1);
    expect(missingFields(exampleTask)).toEqual([]);
  });

  it('reads a table, one column a line, and leaves an empty translation out', () => {
    const request = taskRequest({
      ...exampleTask,
      titleZh: ' ',
      kind: 'table',
      features: 'length\n\n width ',
      target: 'price',
      targetKind: 'number',
    });
    expect(CreateTaskSchema.safeParse(request).error).toBeUndefined();
    expect(request.title).toEqual({ en: exampleTask.titleEn });
    expect(request.data).toEqual({
      kind: 'table',
      features: [
        { name: 'length', mean: 0, scale: 1 },
        { name: 'width', mean: 0, scale: 1 },
      ],
      target: { kind: 'number', name: 'price' },
    });
  });

  it('leaves an empty licence out, and trims another', () => {
    expect(taskRequest(exampleTask)).not.toHaveProperty('licence');
    const request = taskRequest({ ...exampleTask, licence: ' CC BY 4.0\n' });
    expect(CreateTaskSchema.safeParse(request).data?.licence).toBe('CC BY 4.0');
  });

  it('says what the coordinator refuses of a share that is none', () => {
    for (const heldOut of ['0.6', '-0.1', 'a tenth']) {
      const { error } = CreateTaskSchema.safeParse(taskRequest({ ...exampleTask, heldOut }));
      expect(error?.issues.map(({ path }) => path)).toEqual([['heldOut']]);
    }
    expect(missingFields({ ...exampleTask, heldOut: ' ' })).toEqual(['heldOut']);
  });

  it('reads categories, scaling, and the unit and scaling of a target', () => {
    const request = taskRequest({
      ...exampleTask,
      kind: 'table',
      features: 'kind: oak | elm\nlength: mean 3, scale 2',
      target: 'price',
      targetKind: 'number',
      targetUnit: '€',
      targetMean: '1000',
      targetScale: ' 250 ',
    });
    expect(CreateTaskSchema.safeParse(request).error).toBeUndefined();
    expect(request.data).toEqual({
      kind: 'table',
      features: [
        { kind: 'category', name: 'kind', values: ['oak', 'elm'] },
        { name: 'length', mean: 3, scale: 2 },
      ],
      target: { kind: 'number', name: 'price', unit: '€', mean: 1000, scale: 250 },
    });
  });

  it('declares a column of categories as groups, and says what the coordinator refuses of another', () => {
    const fields = {
      ...exampleTask,
      kind: 'table',
      features: 'kind: oak | elm\nlength',
      target: 'price',
    } as const;
    expect(taskRequest(fields).data).not.toHaveProperty('groups');
    const request = taskRequest({ ...fields, groups: ' kind ' });
    expect(CreateTaskSchema.safeParse(request).error).toBeUndefined();
    expect(request.data).toHaveProperty('groups', 'kind');
    const { error } = CreateTaskSchema.safeParse(taskRequest({ ...fields, groups: 'length' }));
    expect(error?.issues.map(({ path }) => path)).toEqual([['data', 'groups']]);
  });

  it('says where the model stops being JSON', () => {
    const broken = () => taskRequest({ ...exampleTask, model: '{"modelTopology": ' });
    expect(broken).toThrowError(CoppiceError);
    expect(broken).toThrowError(/not valid JSON/);
  });
});

describe('missingFields', () => {
  it('depends on the kind of data', () => {
    expect(missingFields(blankTask)).toEqual(['id', 'titleEn', 'descriptionEn', 'classes', 'model']);
    expect(missingFields({ ...blankTask, kind: 'table', targetKind: 'number' })).toEqual([
      'id',
      'titleEn',
      'descriptionEn',
      'features',
      'target',
      'model',
    ]);
  });
});

describe('a file of examples', () => {
  const rows = [1, 2, 3, 4, 5, 6].map((n) => `${n},${n % 2 === 0 ? 'flat' : 'house'},${100_000 * n + 0.5}`);
  const file = new TextEncoder().encode(['rooms,kind,price', ...rows].join('\n'));

  it('proposes columns, scaling and range, which the coordinator takes', async () => {
    const fields = { ...exampleTask, kind: 'table' as const, ...(await proposedFields(file, '')) };
    const { data } = taskRequest(fields);
    expect(CreateTaskSchema.safeParse(taskRequest(fields)).error).toBeUndefined();
    expect(data).toMatchObject({
      features: [
        { name: 'rooms', mean: 3.5, scale: expect.closeTo(Math.sqrt(35 / 12), 6), min: 1, max: 6 },
        { kind: 'category', name: 'kind' },
      ],
      target: { kind: 'number', name: 'price', mean: 350_000.5, min: 100_000.5, max: 600_000.5 },
    });
  });

  it('proposes ranges for a scaling to be agreed, without means and scales', async () => {
    const proposed = await proposedFields(file, 'rooms');
    const range = { targetMin: '0', targetMax: '20' };
    const fields = {
      ...exampleTask,
      kind: 'table' as const,
      ...proposed,
      targetKind: 'number' as const,
      ...range,
    };
    const request = taskRequest({ ...fields, scaling: 'agreed' });
    expect(CreateTaskSchema.safeParse(request).error).toBeUndefined();
    expect(request.data).toMatchObject({
      scaling: 'agreed',
      features: [{ kind: 'category' }, { name: 'price', mean: 0, scale: 1 }],
      target: { name: 'rooms', min: 0, max: 20 },
    });
    expect(request.data).not.toHaveProperty('target.mean');
  });

  it('of no table is refused', async () => {
    await expect(proposedFields(new Uint8Array(), '')).rejects.toMatchObject({ code: 'data-empty' });
  });
});
