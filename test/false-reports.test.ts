import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import * as canaries from './experiments/false-reports/canaries.ts';

const page = readFileSync(new URL('../docs/results/false-reports.md', import.meta.url), 'utf8');

/** The rows of the table below a heading, without the column of devices. */
function rowsBelow(heading: string): Map<number, string[]> {
  const [, below = ''] = page.split(`### ${heading}\n`);
  const [section = ''] = below.split('\n#');
  const rows = section.split('\n').filter((row) => /^\| \d/.test(row));
  return new Map(
    rows.map((row) => {
      const [devices, ...cells] = row.slice(2, -2).split(' | ');
      return [Number(devices), cells];
    }),
  );
}

const percent = (share: number) => `${(100 * share).toFixed(1)} %`;

// The other tables take minutes.
it('the page on false reports has the figures of canaries as the rule is', () => {
  const silent = rowsBelow('Silent devices');
  expect([...silent.keys()]).toEqual([50, 200, 1000]);
  for (const [devices, cells] of silent)
    expect(cells).toEqual(
      [0, 0.1, 0.2, 0.3, 0.5].map((share) => percent(canaries.foundSilent(devices, share))),
    );
  const errors = rowsBelow('By errors');
  expect(errors.get(4)?.[0]).toBe(String(canaries.rolledBack(4, 0, true)));
});
