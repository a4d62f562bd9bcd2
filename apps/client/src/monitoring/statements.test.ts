import type { TableData } from '@coppice/protocol';
import { language } from '@coppice/ui';
import { afterEach, expect, it } from 'vitest';
import { monitoringStatements } from './statements.ts';

const info = { periodMilliseconds: 86_400_000, minimum: 10, privacy: null };
const data: TableData = {
  kind: 'table',
  features: [
    { kind: 'category', name: 'device', values: ['phone', 'tablet'] },
    { name: 'force', mean: 0, scale: 1 },
  ],
  target: { kind: 'class', name: 'tap', classes: ['no', 'yes'] },
};

afterEach(() => {
  language.value = 'en';
});

it.each([
  ['en', ['“device”', 'phone, tablet, any other value']],
  ['zh', ['“device”', 'phone、tablet、其他值']],
] as const)('says in %s that errors are told by group, where the task declares groups', (of, said) => {
  language.value = of;
  const [plain, grouped] = [data, { ...data, groups: 'device' }].map((one) =>
    monitoringStatements(info, one),
  );
  const more = grouped?.filter((statement) => !plain?.includes(statement)) ?? [];
  expect(more).toHaveLength(1);
  for (const part of said) expect(more[0]).toContain(part);
  expect(plain).toEqual(grouped?.filter((statement) => statement !== more[0]));
});
