import { expect, it } from 'vitest';
import { defaultWatch, parseWatch } from './watch.ts';

it('the default rule is taken as it is', () => {
  expect(parseWatch(JSON.parse(JSON.stringify(defaultWatch)))).toEqual({ rule: defaultWatch, refusal: null });
});

it.each([
  [{ threshold: 0 }, 'rule-always threshold'],
  [{ threshold: 11 }, 'rule-never threshold'],
  [{ every: 1 }, 'rule-always every'],
  [{ every: 1e9 }, 'rule-never every'],
  [{ fewest: 1 }, 'rule-invalid fewest'],
  [{ minimum: 0 }, 'rule-invalid minimum'],
  [{ threshold: 'much' }, 'rule-invalid threshold'],
])('%o is refused as %s', (more, name) => {
  const { refusal } = parseWatch({ ...defaultWatch, ...more });
  expect(`${refusal?.name} ${refusal?.field}`).toBe(name);
});
