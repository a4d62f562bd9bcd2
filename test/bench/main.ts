import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { measure as aggregation } from './aggregation.ts';
import { bars } from './bars.ts';
import { measure as bytes } from './bytes.ts';
import { measure as codecs } from './codecs.ts';
import { measure as data } from './data.ts';
import { measure as monitoring } from './monitoring.ts';
import { pythonWithFlower } from './peers.ts';
import { remarks } from './remarks.ts';
import { type BenchResult, section } from './result.ts';
import { measure as rounds } from './rounds.ts';
import { measure as simulation } from './simulation.ts';
import { measure as start } from './start.ts';
import { measure as training } from './training-step.ts';

/*
 * `pnpm bench` measures everything; `pnpm bench training` one part anew, and leaves the others as they were; `pnpm bench page`
 * none, and writes the page of what was measured. With `--peers` Flower takes part where it can.
 */
const parts: Readonly<Record<string, (python: string | null) => Promise<BenchResult>>> = {
  rounds,
  aggregation,
  codecs,
  training,
  simulation,
  bytes,
  monitoring,
  start,
  data,
};

/** Introduction at the top of the page. */
const INTRODUCTION = `Medians, with the least and the most, of jobs that took turns in one run, so that other work of the machine fell on all alike.
Ratios are of medians of the same run. Aims stand beside the figures, reached or not.`;

interface Measured extends BenchResult {
  readonly machine: string;
}
type Stored = Readonly<Record<string, Measured>>;

const args = process.argv.slice(2).filter((arg) => arg !== '--');
const withPeers = args.includes('--peers');
const wanted = args.filter((arg) => arg !== '--peers');
const PAGE_ALONE = 'page';
const unknown = wanted.find((name) => name !== PAGE_ALONE && parts[name] === undefined);
if (unknown !== undefined)
  throw new Error(`no benchmark is called "${unknown}"; there are ${Object.keys(parts).join(', ')}`);

const folder = join(fileURLToPath(new URL('../..', import.meta.url)), 'docs', 'results');
const json = join(folder, 'bench.json');
const machine = `${cpus().length} × ${cpus()[0]?.model.trim() ?? 'unknown processor'}, Node ${process.version}`;
const python = withPeers ? await pythonWithFlower() : null;
// It has NumPy, too.
if (python !== null) process.env['COPPICE_PYTHON'] ??= python;

mkdirSync(folder, { recursive: true });
for (const [name, measure] of Object.entries(parts)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  process.stderr.write(`${name} …\n`);
  const result = { machine, ...(await measure(python)) };
  process.stdout.write(`${section(result)}\n`);
  // At once: what comes after may fail.
  write({ ...stored(), [name]: result });
}
if (wanted.includes(PAGE_ALONE)) write(stored());

function stored(): Stored {
  try {
    return JSON.parse(readFileSync(json, 'utf8')) as Stored;
  } catch {
    return {};
  }
}

function remark(name: string): string {
  const said = remarks[name];
  return said === undefined ? '' : `${said}\n\n`;
}

function write(all: Stored): void {
  const known = Object.keys(parts).flatMap((name) => {
    const result = all[name];
    return result === undefined ? [] : [{ name, result }];
  });
  for (const { name, result } of known) writeFileSync(join(folder, `bench-${name}.svg`), bars(result));
  const sections = known.map(
    ({ name, result }) =>
      `${section(result)}\n${remark(name)}Machine: ${result.machine}. Repeat with \`pnpm bench ${name}\`.\n\n![${result.name}](bench-${name}.svg)\n`,
  );
  writeFileSync(join(folder, 'bench.md'), `# Measured\n\n${INTRODUCTION}\n\n${sections.join('\n')}`);
  writeFileSync(
    json,
    `${JSON.stringify(Object.fromEntries(known.map((one) => [one.name, one.result])), null, 2)}\n`,
  );
}
