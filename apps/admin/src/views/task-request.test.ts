import { CoppiceError, CreateTaskSchema } from '@coppice/protocol';
import { describe, expect, it } from 'vitest';
import { exampleTask } from './example-task.ts';
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
