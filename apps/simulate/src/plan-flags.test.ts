import { PlanInputSchema, type PlanInputValues, planDescription, planFields } from '@coppice/protocol';
import { madeUpDescription } from '@coppice/protocol/testing';
import { describe, expect, it } from 'vitest';
import { readOptions, reported, type SimulateOptions, UsageError, usage } from './options.ts';

function read(
  argv: readonly string[],
  ...rest: [] | [ReturnType<typeof madeUpDescription>]
): SimulateOptions {
  const options = readOptions(argv, {}, ...rest);
  if (options === 'help') throw new Error('not the help');
  return options;
}

/** The flags as they were before fields carried them: they never change. */
const published: Partial<Record<keyof PlanInputValues, string>> = {
  cohortFraction: '--fraction C',
  cohortSize: '--cohort K',
  rounds: '--rounds R',
  epochs: '--epochs E',
  batchSize: '--batch-size B',
  learningRate: '--learning-rate ETA',
  proximal: '--proximal MU',
  strategy: '--strategy NAME',
  uploadCodec: '--upload-codec NAME',
  downloadCodec: '--download-codec NAME',
  downloadForm: '--download-form NAME',
  targetAccuracy: '--target-accuracy A',
  seed: '--seed S',
  overSelection: '--over-select X',
};

const strategyNames =
  planFields.strategy.input.kind === 'choice'
    ? planFields.strategy.input.options.map(({ value }) => value)
    : [];

describe('the flags of the plan', () => {
  it('are there for every field, under the section of the field, and the published ones as they were', () => {
    const text = usage();
    for (const flag of Object.values(published)) expect(text).toMatch(new RegExp(`^ {2}${flag} `, 'm'));
    const listed = [...text.matchAll(/^ {2}--([a-z0-9-]+)/gm)].map(([, name]) => name);
    expect(new Set(listed).size).toBe(listed.length);
    expect(listed.length).toBe(24 + Object.keys(planFields).length);
    expect(text).toContain('  --server-learning-rate ETA');
    expect(text).toMatch(/^Cohort and rounds\n {2}--fraction C/m);
  });

  it.each([
    ['--fraction', '0', '--fraction C takes a number above 0 and up to 1, not "0".'],
    ['--cohort', 'x', '--cohort K takes a whole number from 1 to 65536, not "x".'],
    ['--rounds', '0', '--rounds R takes a whole number from 1 to 100000, not "0".'],
    ['--epochs', '1001', '--epochs E takes a whole number from 1 to 1000, not "1001".'],
    ['--batch-size', '1.5', '--batch-size B takes a whole number from 1 to 65536, not "1.5".'],
    ['--learning-rate', '', '--learning-rate ETA takes a number above 0 and up to 100, not "".'],
    ['--proximal', '101', '--proximal MU takes a number from 0 to 100, not "101".'],
    ['--strategy', 'fedfoo', `--strategy NAME takes one of ${strategyNames.join(', ')}, not "fedfoo".`],
    [
      '--download-codec',
      'top1',
      '--download-codec NAME takes one of float32, float16, int8, int4, not "top1".',
    ],
    ['--target-accuracy', '97', '--target-accuracy A takes a number from 0 to 1, not "97".'],
    ['--seed', '-', '--seed S takes a whole number from 0 to 4294967295, not "-".'],
    ['--over-select', '6', '--over-select X takes a number from 1 to 5, not "6".'],
  ])('%s=%s is refused in the published words', (flag, text, sentence) => {
    expect(() => readOptions([`${flag}=${text}`], {})).toThrow(new UsageError(sentence));
  });

  it('take exactly the values of the schema', () => {
    for (const [name, { input }] of Object.entries(planFields)) {
      if (input.kind !== 'number') continue;
      const { min, max } = input;
      const strategy = planDescription.strategiesOf(name)?.[0] ?? 'fedavg';
      const flag = `--${planDescription.flagOf(name).name}`;
      for (const value of [min - 1, min, min + 1e-9, max, max + 1]) {
        const argv = [`${flag}=${value}`, `--strategy=${strategy}`, '--clients=100000'];
        const { success } = PlanInputSchema.safeParse({ [name]: value });
        if (success) expect(read(argv).plan[name as keyof PlanInputValues], `${name} ${value}`).toBe(value);
        else expect(() => read(argv), `${name} ${value}`).toThrow(UsageError);
      }
    }
  });

  it('leave fields unset with "none" where a plan may, and nowhere else', () => {
    expect(read(['--max-norm=none', '--cohort=none']).plan).toMatchObject({
      maxNorm: null,
      cohortSize: null,
    });
    expect(() => read(['--rounds=none'])).toThrow(UsageError);
    // A share replaces a number that the task has by default.
    expect(read(['--fraction=0.5']).plan).toMatchObject({ cohortFraction: 0.5, cohortSize: null });
  });

  it('leave to the task what the simulation does not set, and repeat unless told otherwise', () => {
    const { plan } = read(['--clients=7']);
    expect(plan).toEqual({
      strategy: 'fedavg',
      evaluationShare: 0,
      overSelection: 1,
      minParticipants: 7,
      quorum: 0,
      deadlineSeconds: 86_400,
      graceSeconds: 3600,
      rounds: 20,
      seed: 1,
      uploadCodec: 'float32',
      downloadCodec: 'float32',
      downloadForm: 'whole',
    });
    expect(read(['--quorum=0.4', '--clip-norm=2']).plan).toMatchObject({ quorum: 0.4, clipNorm: 2 });
  });

  it('are reported by name, without those that the simulation needs to repeat', () => {
    const all = reported(read(['--fraction=0.5', '--quorum=1', '--over-select=2']));
    expect(all).toMatchObject({
      fraction: 0.5,
      cohort: null,
      'over-select': 2,
      rounds: 20,
      'batch-size': null,
    });
    expect(reported(read(['--max-norm=none']))).toMatchObject({ 'max-norm': 'none', 'clip-norm': null });
    expect(all).toMatchObject({ quorum: 1, 'grace-seconds': null, task: 'mnist-2nn' });
  });
});

describe('a strategy that is added', () => {
  const description = madeUpDescription();

  it('brings its flags, in its section, with its defaults', () => {
    expect(usage(description)).toContain('One of fedavg, fedyogi.');
    expect(usage(description)).toMatch(
      /--server-beta2 X .*Only with --strategy fedyogi\. Default: the task's, or 0\.99\./,
    );
    expect(usage(description)).toContain('1 with fedavg, 0.01 with fedyogi');
    const { plan } = read(['--strategy=fedyogi', '--server-beta1=0.5'], description);
    expect(plan).toMatchObject({ strategy: 'fedyogi', serverBeta1: 0.5 });
  });

  it('has flags that are refused by name with another strategy', () => {
    expect(() => read(['--server-beta1=0.5'], description)).toThrow(
      new UsageError('--server-beta1 X belongs to --strategy fedyogi and does not apply to fedavg.'),
    );
  });
});
