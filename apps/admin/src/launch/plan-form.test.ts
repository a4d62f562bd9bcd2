import { defaultPlan, MAX_COHORT, type Plan, PlanSchema, planFields } from '@coppice/protocol';
import { madeUpDescription } from '@coppice/protocol/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  chooseStrategy,
  differences,
  formSections,
  planFieldNames,
  readField,
  readPlan,
  taskDefaults,
  textsOf,
} from './plan-form.ts';

const text = fc.oneof(
  fc.double().map(String),
  fc.integer({ min: -10, max: 100 }).map(String),
  fc.constantFrom('', ' ', 'abc', '1e3', '0x10', 'sgd', 'adam', '1,5'),
);

describe('readField', () => {
  it('takes exactly what the protocol takes', () => {
    fc.assert(
      fc.property(fc.constantFrom(...planFieldNames), text, (name, given) => {
        const { schema, input } = planFields[name];
        const read = readField(name, given);
        const trimmed = given.trim();
        const value = input.kind === 'choice' ? given : trimmed === '' ? null : Number(trimmed);
        expect(read.ok).toBe(schema.safeParse(value).success);
        if (read.ok) expect(read.value).toBe(value);
      }),
      { numRuns: 2000 },
    );
  });

  it('says what is wrong', () => {
    expect(readField('rounds', '')).toEqual({ ok: false, problem: { kind: 'missing' } });
    expect(readField('rounds', 'ten')).toEqual({ ok: false, problem: { kind: 'not-a-number' } });
    expect(readField('rounds', '1.5')).toEqual({ ok: false, problem: { kind: 'not-whole' } });
    expect(readField('learningRate', '0')).toEqual({
      ok: false,
      problem: { kind: 'range-above', min: 0, max: 100 },
    });
    expect(readField('quorum', '2')).toEqual({ ok: false, problem: { kind: 'range', min: 0, max: 1 } });
    expect(readField('clipNorm', '')).toEqual({ ok: true, value: null });
  });
});

describe('readPlan', () => {
  it('reads back every plan that was written into the form', () => {
    const plans = fc.record({
      rounds: fc.integer({ min: 1, max: 100_000 }),
      learningRate: fc.double({ min: 1e-7, max: 100, noNaN: true }),
      cohortSize: fc.option(fc.integer({ min: 1, max: MAX_COHORT })),
      optimizer: fc.constantFrom('sgd', 'momentum', 'adam'),
    });
    fc.assert(
      fc.property(plans, (fields) => {
        const plan = PlanSchema.parse({ ...defaultPlan, ...fields }) as Plan;
        expect(readPlan(textsOf(plan)).plan).toEqual(plan);
      }),
    );
  });

  it('names each field that is wrong and gives no plan', () => {
    const { plan, problems } = readPlan({ ...textsOf(defaultPlan), rounds: '0', quorum: 'half' });
    expect(plan).toBeNull();
    expect([...problems.keys()]).toEqual(['quorum', 'rounds']);
  });
});

describe('differences', () => {
  it('is what has to be added to get the plan back', () => {
    const plan: Plan = { ...defaultPlan, rounds: 7, clipNorm: 2 };
    expect(differences(plan, defaultPlan)).toEqual({ rounds: 7, clipNorm: 2 });
    expect({ ...defaultPlan, ...differences(plan, defaultPlan) }).toEqual(plan);
  });
});

describe('a strategy with parameters of its own', () => {
  const description = madeUpDescription();
  const task = { ...defaultPlan, noise: 'none', serverLearningRate: 0.5, epochs: 4 };

  it('is asked for its parameters, in the section of the strategy, and for no others', () => {
    const aggregation = (strategy: string) => formSections(strategy, description)[0]?.names;
    expect(aggregation('fedavg')).toEqual(['strategy', 'serverLearningRate']);
    expect(aggregation('fedyogi')).toEqual([
      'strategy',
      'serverLearningRate',
      'serverBeta1',
      'serverBeta2',
      'serverEpsilon',
    ]);
  });

  it('begins with its defaults when it is chosen, and leaves the rest of the form as it is', () => {
    const form = { ...textsOf(task, description), rounds: '7' };
    const yogi = chooseStrategy(form, 'fedyogi', task, description);
    expect(yogi).toMatchObject({
      strategy: 'fedyogi',
      serverLearningRate: '0.01',
      serverBeta1: '0.9',
      rounds: '7',
    });
    expect(readPlan(yogi, description).plan).toMatchObject({ serverBeta2: 0.99, rounds: 7, epochs: 4 });
    // The task's own strategy has the task's own parameters again.
    const back = chooseStrategy(yogi, 'fedavg', task, description);
    expect(readPlan(back, description).plan).toMatchObject({ serverLearningRate: 0.5, rounds: 7 });
    expect(readPlan(back, description).plan).not.toHaveProperty('serverBeta1');
  });

  it('is compared with what the task has by default with it', () => {
    expect(taskDefaults(task, 'fedyogi', description)).toMatchObject({
      strategy: 'fedavg',
      serverLearningRate: 0.01,
      serverBeta1: 0.9,
      epochs: 4,
    });
  });
});
