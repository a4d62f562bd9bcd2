import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CoppiceError } from '../errors.ts';
import { madeUpDescription } from '../testing/made-up-plan.ts';
import type { PlanField, PlanValues } from './field.ts';
import {
  completePlan,
  consentLabel,
  defaultPlan,
  type Plan,
  PlanInputSchema,
  PlanSchema,
  parametersOf,
  planDescription,
  planFields,
  requiresOf,
  SentPlanSchema,
} from './plan.ts';
import { PLAN_VERSION, readStoredPlan } from './stored.ts';

const description = madeUpDescription();

describe('the fields of a plan', () => {
  it('have defaults that are valid themselves', () => {
    expect(PlanSchema.safeParse(defaultPlan).success).toBe(true);
    expect(completePlan({}, {})).toEqual(defaultPlan);
  });

  it('explain themselves in both languages, in sentences', () => {
    for (const { label, help, consequence } of Object.values(planFields)) {
      expect(label.zh).toBeTruthy();
      for (const text of [help, consequence]) {
        expect(text.zh).toMatch(/[。]$/);
        expect(text.en).toMatch(/\.$/);
      }
    }
    for (const { title } of planDescription.sections) expect(title.zh).toBeTruthy();
  });

  it('are each in one section, under a flag of its own', () => {
    const listed = planDescription.sections.flatMap(({ names }) => names);
    expect(listed).toEqual(Object.keys(planFields));
    expect(new Set(listed).size).toBe(listed.length);
    const flags = listed.map((name) => planDescription.flagOf(name).name);
    expect(new Set(flags).size).toBe(flags.length);
  });

  it('agree with the bounds that the form shows', () => {
    for (const [name, { input }] of Object.entries(planFields)) {
      if (input.kind !== 'number') continue;
      for (const [value, ok] of [
        [input.min, input.open !== true],
        [input.max, true],
        [input.min - 1, false],
        [input.max + 1, false],
        [null, input.optional === true],
      ] as const) {
        expect(PlanInputSchema.safeParse({ [name]: value }).success, `${name} ${value}`).toBe(ok);
      }
    }
  });

  it('of one name are the same with every strategy but for default and texts', () => {
    for (const which of [planDescription, description]) {
      for (const [name, { input, unit }] of Object.entries(which.fields)) {
        for (const strategy of which.strategiesOf(name) ?? [])
          expect(which.fieldOf(name, strategy)).toMatchObject({ input, ...(unit && { unit }) });
      }
    }
  });
});

describe('completing a plan', () => {
  it('refuses a field that is unknown, by name', () => {
    expect(PlanInputSchema.safeParse({ learningrate: 1 }).success).toBe(false);
    expect(() => completePlan({}, { learningrate: 1 } as object)).toThrow(/learningrate/);
    // One sum takes 2¹⁶ updates.
    expect(completePlan({}, { cohortSize: 65_536 }).cohortSize).toBe(65_536);
    expect(() => completePlan({}, { cohortSize: 65_537 })).toThrow(/cohortSize/);
  });

  it('takes what is given, then what the task has, then the general default', () => {
    const plan = completePlan({ epochs: 5, batchSize: 8, clipNorm: 3 }, { epochs: 7, rounds: undefined });
    expect(plan).toEqual({ ...defaultPlan, epochs: 7, batchSize: 8, clipNorm: 3 });
  });

  it('asks for the parameters of the chosen strategy alone', () => {
    const yogi = description.complete({}, { strategy: 'fedyogi', serverBeta1: 0.5 });
    expect(yogi).toMatchObject({ serverLearningRate: 0.01, serverBeta1: 0.5, serverBeta2: 0.99 });
    expect(yogi).toMatchObject({ serverEpsilon: 1e-3 });
    expect(description.schema.safeParse(yogi).success).toBe(true);
    expect(Object.keys(description.complete({}, {}))).not.toContain('serverBeta1');
  });

  it('refuses a parameter of another strategy by name, and a strategy that is unknown', () => {
    const refused = (given: PlanValues) => {
      try {
        description.complete({}, given);
      } catch (thrown) {
        return CoppiceError.from(thrown);
      }
      throw new Error('was taken');
    };
    expect(refused({ serverBeta1: 0.5 })).toMatchObject({
      code: 'plan-invalid',
      message:
        'The plan is not valid: serverBeta1: belongs to fedyogi and does not apply to the strategy fedavg.',
    });
    expect(refused({ strategy: 'toString' })).toMatchObject({ code: 'plan-invalid' });
    expect(refused({ strategy: 'fedfoo' }).message).toContain('"fedfoo" is not one of fedavg, fedyogi');
  });

  it("takes a task's parameters over with the task's own strategy only", () => {
    const task = { strategy: 'fedyogi', serverLearningRate: 0.2, serverBeta1: 0.3, epochs: 4 };
    expect(description.complete(task, {})).toMatchObject({ serverLearningRate: 0.2, serverBeta1: 0.3 });
    expect(description.complete(task, { strategy: 'fedavg' })).toEqual({
      ...defaultPlan,
      noise: 'none',
      epochs: 4,
    });
  });

  it('gives whole plans, whatever is given', () => {
    const values = (field: PlanField) =>
      field.input.kind === 'choice'
        ? fc.constantFrom(...field.input.options.map(({ value }) => value))
        : fc.constantFrom(field.input.max, ...(field.input.optional ? [null] : []));
    const given = fc.record(
      Object.fromEntries(Object.entries(description.fields).map(([name, field]) => [name, values(field)])),
      { requiredKeys: ['strategy'] },
    );
    fc.assert(
      fc.property(given, (some) => {
        const strategy = String(some.strategy);
        const names = description.namesFor(strategy);
        const applicable = Object.fromEntries(Object.entries(some).filter(([name]) => names.includes(name)));
        const plan = description.complete({}, applicable);
        expect(Object.keys(plan).sort()).toEqual([...names].sort());
        expect(plan).toMatchObject(applicable);
        if (Object.keys(some).length > Object.keys(applicable).length)
          expect(() => description.complete({}, some)).toThrow(CoppiceError);
      }),
      { seed: 7, numRuns: 300 },
    );
  });

  it('gives a strategy its parameters, or their defaults', () => {
    expect(parametersOf('fedavg', { serverLearningRate: 0.5 })).toEqual({ serverLearningRate: 0.5 });
    expect(parametersOf('fedavg', {})).toEqual({ serverLearningRate: 1 });
  });
});

describe('the capabilities that a plan requires', () => {
  it('are none for the defaults, and follow from each value that changes what is computed', () => {
    expect(requiresOf(defaultPlan)).toEqual([]);
    const required = (plan: Partial<Plan>) => requiresOf({ ...defaultPlan, ...plan });
    expect(required({ optimizer: 'adam', proximal: 0.1, clipNorm: 2 })).toEqual([
      'objective:proximal',
      'optimizer:adam',
      'step:clip',
    ]);
    expect(required({ uploadCodec: 'int4', downloadCodec: 'int4' })).toEqual(['codec:int4']);
    expect(required({ downloadForm: 'steps', downloadCodec: 'int8' })).toEqual(['codec:int8', 'form:steps']);
    expect(required({ window: 7, replayShare: 0.1 })).toEqual(['data:window']);
    expect(required({ replayShare: 0.1 })).toEqual([]);
    // Steps of exact models are whole models.
    expect(required({ downloadForm: 'steps' })).toEqual([]);
    expect(required({ rounds: 3, quorum: 1, maxNorm: null, evaluationShare: 0.5 })).toEqual([]);
  });

  it('are all known beforehand', () => {
    expect([...planDescription.capabilities()]).toEqual([
      ['codec:float16', ['uploadCodec', 'downloadCodec']],
      ['codec:int4', ['uploadCodec', 'downloadCodec']],
      ['codec:int8', ['uploadCodec', 'downloadCodec']],
      ['codec:top1', ['uploadCodec']],
      ['codec:top10', ['uploadCodec']],
      ['data:window', ['window']],
      ['form:steps', ['downloadForm']],
      ['objective:proximal', ['proximal']],
      ['optimizer:adam', ['optimizer']],
      ['optimizer:momentum', ['optimizer']],
      ['step:clip', ['clipNorm']],
      ['strategy:scaffold', ['strategy']],
    ]);
    expect(description.capabilities().get('strategy:fedyogi')).toEqual(['strategy']);
    expect(description.capabilities().get('step:noise')).toEqual(['noise']);
  });

  it('include those of the strategy', () => {
    const plan = description.complete({}, { strategy: 'fedyogi', noise: 'local' });
    expect(description.requiresOf(plan)).toEqual(['step:noise', 'strategy:fedyogi']);
  });
});

describe('the consent label', () => {
  it('states the limit of an update from the plan', () => {
    expect(consentLabel(defaultPlan).limit.value).toEqual({ en: 'not shortened', zh: '不缩短' });
    expect(consentLabel({ clipNorm: 1234.5 }).limit.value).toEqual({ en: '1,234.5', zh: '1,234.5' });
  });

  it('states a protection exactly where the plan has one', () => {
    const none = description.consentOf(description.complete({}, {}));
    expect(none.protection.value).toEqual({ en: 'no', zh: '无' });
    expect(none.inference.en).toContain('not masked');
    const noised = description.consentOf(description.complete({}, { noise: 'local' }));
    expect(noised.protection.value).toEqual({ en: 'noised on the device', zh: '在设备上加噪' });
    expect(noised.inference.en).not.toContain('not masked');
    expect(noised.inference.zh).not.toContain('没有掩码');
  });
});

describe('a stored plan', () => {
  it('is completed by the values that stand for fields it is older than', () => {
    const { maxNorm: _bound, proximal: _pull, uploadCodec: _codec, ...old } = defaultPlan;
    // Before there was a bound, there was none.
    expect(readStoredPlan(old, undefined)).toEqual({ ...defaultPlan, maxNorm: null });
    expect(readStoredPlan({ ...defaultPlan, seed: 9 }, PLAN_VERSION)).toEqual({ ...defaultPlan, seed: 9 });
  });

  it('of a later version is refused', () => {
    expect(() => readStoredPlan({ ...defaultPlan }, PLAN_VERSION + 1)).toThrow(
      expect.objectContaining({ code: 'storage-too-new' }),
    );
  });
});

describe('a plan on its way to a participant', () => {
  it('may have fields and a strategy that the participant does not know', () => {
    const sent = { ...defaultPlan, strategy: 'fednew', newField: { deep: [1] }, __proto__: null };
    expect(SentPlanSchema.parse(sent)).toEqual({ ...defaultPlan, strategy: 'fednew' });
  });

  it('is refused where a known field is wrong or missing, by name', () => {
    expect(SentPlanSchema.safeParse({ ...defaultPlan, epochs: 0 }).error?.issues[0]?.path).toEqual([
      'epochs',
    ]);
    const { seed: _seed, ...seedless } = defaultPlan;
    expect(SentPlanSchema.safeParse(seedless).error?.issues[0]?.path).toEqual(['seed']);
  });
});
