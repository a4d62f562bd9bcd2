import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import {
  ANSWER_TIMEOUT,
  CHECK_TIMEOUT,
  GRACE_AFTER_RESTART,
  REST_TIMEOUT,
  SILENCE_TIMEOUT,
} from './timeouts.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));

it('are told on their page, with the values they have', () => {
  const page = readFileSync(join(root, 'docs/timeouts.md'), 'utf8');
  const rows = page.split('\n').filter((line) => /^\| \*\*/.test(line));
  expect(rows).toHaveLength(6);
  const row = (name: string) => rows.find((line) => line.startsWith(`| **${name}**`));
  expect(row('grace')).toContain(`${GRACE_AFTER_RESTART / 1000} s`);
  expect(row('answer')).toContain(`${ANSWER_TIMEOUT / 1000} s`);
  expect(row('check')).toContain(`${CHECK_TIMEOUT / 1000} s`);
  expect(row('silence')).toContain(`${SILENCE_TIMEOUT / 1000} s`);
  expect(row('rest')).toContain(`${REST_TIMEOUT / 1000} s`);
});

it('have no siblings elsewhere in the sources', () => {
  const own: string[] = [];
  for (const room of ['packages', 'apps'])
    for (const name of readdirSync(join(root, room), { recursive: true, encoding: 'utf8' })) {
      if (!/^[^/]+\/src\/.*\.tsx?$/.test(name) || name.endsWith('.test.ts') || name.endsWith('/timeouts.ts'))
        continue;
      const text = readFileSync(join(root, room, name), 'utf8');
      if (/timeout\w*\s*[:=]\s*[1-9][\d_]{3,}/i.test(text)) own.push(name);
    }
  expect(own).toEqual([]);
});
