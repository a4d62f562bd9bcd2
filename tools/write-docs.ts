import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { planPage } from './plan-page.ts';
import { root } from './run.ts';

/* `pnpm write-docs`: the pages that are derived from the code. */
writeFileSync(join(root, 'docs', 'plan.md'), planPage());
