import { spawn } from 'node:child_process';
import { join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { type Compared, compared } from './compare-pairs.ts';
import type { BenchResult } from './result.ts';

/*
 * `pnpm bench:pairs OTHER-CHECKOUT PART…` compares this checkout with another one, such as the last release: both measure a
 * part of `pnpm bench` in turns, `--pairs` times (7), each in a process of its own. A row is worse only where the interval of
 * its ratios lies above 1.05. Exits with 1 where one does.
 */
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { pairs: { type: 'string', default: '7' } },
});
const [folder, ...parts] = positionals;
const pairs = Number(values.pairs);
if (folder === undefined || parts.length === 0 || !Number.isInteger(pairs) || pairs < 1) {
  process.stderr.write(
    'pnpm bench:pairs OTHER-CHECKOUT PART… [--pairs 7]\nParts are those of `pnpm bench`.\n',
  );
  process.exit(2);
}
const here = fileURLToPath(new URL('../..', import.meta.url));
const other = resolve(folder);

let worse = false;
for (const part of parts) {
  const results: { old: BenchResult; new: BenchResult }[] = [];
  for (let pair = 0; pair < pairs; pair++) {
    // The first of a pair finds another machine than the second: each goes first every other time.
    const order = pair % 2 === 0 ? [other, here] : [here, other];
    const measured = new Map<string, BenchResult>();
    for (const checkout of order) measured.set(checkout, await measure(checkout, part));
    results.push({ old: measured.get(other) as BenchResult, new: measured.get(here) as BenchResult });
    process.stderr.write(`${part}: ${pair + 1} of ${pairs}\n`);
  }
  const table = compared(results);
  process.stdout.write(`\n${part}: new / old over ${pairs} pairs\n\n${table.map(line).join('\n')}\n`);
  worse ||= table.some((row) => row.worse);
}
if (worse) process.exitCode = 1;

function line({ what, ratio, least, most, worse }: Compared): string {
  const [median, from, to] = [ratio, least, most].map((value) => value.toFixed(3));
  return `| ${what} | ${median} | ${from}–${to} | ${worse ? 'worse' : ''} |`;
}

/** Runs a part's `measure` in a process of the checkout's own Node and modules. */
function measure(checkout: string, part: string): Promise<BenchResult> {
  const file = part === 'training' ? 'training-step' : part;
  const script = `
    import { measure } from ${JSON.stringify(pathToFileURL(join(checkout, 'test', 'bench', `${file}.ts`)).href)};
    process.stdout.write('\\n' + JSON.stringify(await measure(null)) + '\\n');`;
  const child = spawn(join(checkout, 'node_modules', '.bin', 'node'), ['--input-type=module', '-e', script], {
    cwd: checkout,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk;
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => {
      if (code !== 0) return reject(new Error(`"${part}" in ${checkout} ended with code ${code}`));
      resolve(JSON.parse(output.trimEnd().split('\n').at(-1) as string) as BenchResult);
    });
  });
}
