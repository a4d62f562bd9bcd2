import { readFileSync } from 'node:fs';
import { PolicySchema, parsePolicy, TriggerRuleSchema } from '@coppice/continuity';
import { expect, it } from 'vitest';

/* The policies that docs/continuity.md shows can be saved as they stand there, and its table names each of their fields. */

const page = readFileSync(new URL('../../docs/continuity.md', import.meta.url), 'utf8');
const inCommand = JSON.parse(/-d '(\{[^']*\})'/.exec(page)?.[1] ?? 'null').policy as unknown;
const whole = JSON.parse(/```json\n([^`]*)```/.exec(page)?.[1] ?? 'null') as Record<string, unknown>;
const launch = { rounds: 10, bytes: null, deviceSeconds: null, epsilon: null };

it.each([
  ['the command', inCommand],
  ['the one with every part', whole],
])('has a policy that is taken: %s', (_name, policy) => {
  expect(parsePolicy(policy, launch).refusal).toBeNull();
});

it('shows every field, and explains it in the table', () => {
  expect(Object.keys(whole).toSorted()).toEqual(Object.keys(PolicySchema.shape).toSorted());
  expect(Object.keys(whole.trigger as object).toSorted()).toEqual(
    Object.keys(TriggerRuleSchema.shape).toSorted(),
  );
  const table = page.split('\n').filter((line) => line.startsWith('| `'));
  for (const [part, value] of Object.entries(whole)) {
    if (part === 'version') continue;
    const fields = part !== 'plan' && typeof value === 'object' ? Object.keys(value ?? {}) : [];
    const paths = fields.filter((field) => field !== 'kind').map((field) => `${part}.${field}`);
    for (const path of paths.length === 0 ? [part] : paths)
      expect(
        table.some((line) => line.split('|')[1]?.includes(`\`${path}\``)),
        path,
      ).toBe(true);
  }
});
