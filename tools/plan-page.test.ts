import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { planPage } from './plan-page.ts';
import { root } from './run.ts';

it('docs/plan.md is up to date; `pnpm write-docs` writes it', () => {
  expect(readFileSync(join(root, 'docs', 'plan.md'), 'utf8')).toBe(planPage());
});
