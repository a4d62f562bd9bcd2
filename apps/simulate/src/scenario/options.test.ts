import { describe, expect, it } from 'vitest';
import { UsageError } from '../flag.ts';
import { listText, readScenarioOptions, scenarioUsage } from './options.ts';
import { scenarios } from './scenarios/index.ts';

const names = ['abrupt', 'quiet', 'bad-release', 'broken-sensor', 'click-through'];

describe('the command line', () => {
  it('takes a name, a seed, a folder and a form', () => {
    expect(readScenarioOptions(['abrupt'])).toEqual({
      scenario: scenarios[0],
      seed: 1,
      report: null,
      json: false,
    });
    expect(readScenarioOptions(['--', 'quiet', '--seed', '7', '--report', 'here', '--json'])).toMatchObject({
      scenario: { name: 'quiet' },
      seed: 7,
      report: 'here',
      json: true,
    });
  });

  it.each([
    [[], /NAME is missing: one of abrupt, quiet/],
    [['sudden'], /NAME takes one of abrupt, quiet.*, not "sudden"/],
    [['abrupt', 'quiet'], /One scenario at a time/],
    [['abrupt', '--seed', '-1'], /--seed/],
    [['abrupt', '--seed', 'x'], /--seed S takes a whole number from 0 to 4294967295, not "x"/],
    [['abrupt', '--speed', '2'], /--speed.*See --help/],
  ])('refuses %j in plain words', (argv, message) => {
    expect(() => readScenarioOptions(argv)).toThrow(UsageError);
    expect(() => readScenarioOptions(argv)).toThrow(message);
  });

  it('lists every scenario with what it is about', () => {
    expect(readScenarioOptions(['--list'])).toBe('list');
    expect(readScenarioOptions(['--help'])).toBe('help');
    expect(
      listText()
        .trimEnd()
        .split('\n')
        .map((line) => line.split(' ')[0]),
    ).toEqual(names);
    for (const flag of ['--seed S', '--report DIR', '--json', '--list', ...names])
      expect(scenarioUsage()).toContain(flag);
  });
});

describe.each(scenarios)('$name', ({ size, changes, policies }) => {
  it('has a policy from the first period on, and changes within its periods', () => {
    expect(policies[0]?.period).toBe(1);
    for (const { period, until } of changes) {
      expect(period).toBeGreaterThan(1);
      expect(until ?? period).toBeLessThan(size.periods);
    }
  });
});

it('plays more than 200 periods without any change', () => {
  const quiet = scenarios.find(({ name }) => name === 'quiet');
  expect(quiet?.changes).toEqual([]);
  expect(quiet?.size.periods).toBeGreaterThanOrEqual(200);
});
