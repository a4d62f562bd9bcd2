import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { measure as aggregation } from './aggregation.ts';
import { measure as bytes } from './bytes.ts';
import { measure as codecs } from './codecs.ts';
import { type BenchResult, section } from './result.ts';
import { type RoundOverhead, roundOverhead } from './round-overhead.ts';

/*
 * `pnpm bench`: what a round costs the coordinator, beside a bare Socket.IO echo of the same bytes; sums; codecs.
 * `pnpm bench aggregation` measures one of them anew and leaves the others as they were.
 */
const ROUNDS = 20;
const TARGET = 1.5;
const measures: Readonly<Record<string, () => Promise<BenchResult>>> = { aggregation, codecs, bytes };

interface Stored {
  readonly machine: string;
  /** What a round costs. */
  readonly results: RoundOverhead[];
  readonly parts: Record<string, BenchResult>;
}

const folder = join(fileURLToPath(new URL('../..', import.meta.url)), 'docs', 'results');
const json = join(folder, 'bench.json');
const wanted = process.argv.slice(2);
const known = ['rounds', ...Object.keys(measures)];
const unknown = wanted.find((name) => !known.includes(name));
if (unknown !== undefined)
  throw new Error(`no benchmark is called "${unknown}"; there are ${known.join(', ')}`);
const isWanted = (name: string) => wanted.length === 0 || wanted.includes(name);
const stored = earlier();

const machine = `${cpus().length} × ${cpus()[0]?.model.trim() ?? 'unknown processor'}, Node ${process.version}`;
const parts: Record<string, BenchResult> = {};
for (const [name, measure] of Object.entries(measures)) {
  const part = isWanted(name) ? await measure() : stored?.parts?.[name];
  if (part !== undefined) parts[name] = part;
}
const results = isWanted('rounds') ? [] : (stored?.results ?? []);
if (isWanted('rounds'))
  for (const clients of [10, 50, 100]) results.push(await roundOverhead(clients, ROUNDS));

function earlier(): Stored | null {
  try {
    return JSON.parse(readFileSync(json, 'utf8')) as Stored;
  } catch {
    return null;
  }
}

const rows = results.map(
  ({ clients, parameters, coordinator, echo, cpuRatio, wallRatio }) =>
    `| ${clients} | ${parameters.toLocaleString('en')} | ${coordinator.cpu.toFixed(0)} | ${echo.cpu.toFixed(0)} | **${cpuRatio.toFixed(2)}** | ${coordinator.wall.toFixed(0)} | ${echo.wall.toFixed(0)} | ${wallRatio.toFixed(2)} | ${coordinator.peakMegabytes.toFixed(0)} | ${echo.peakMegabytes.toFixed(0)} |`,
);
const at100 = results.find((result) => result.clients === 100);
const verdict = (ratio = Number.POSITIVE_INFINITY) =>
  `**${ratio <= TARGET ? 'reached' : 'missed'}** (${ratio.toFixed(2)})`;
const page = `# What a round costs the coordinator

Headless clients that do not train: selection, weights out, updates in, checks, exact sum, checkpoint on disk (flushed), event
log. Beside it, in the same run and by turns, a bare Socket.IO server that sends and acknowledges the same bytes. Each server is
a process of its own; medians of ${ROUNDS} rounds after three to warm up. Repeat with \`pnpm bench\`.

Machine: ${machine}.

| clients | parameters | CPU ms | echo CPU ms | ratio | wall ms | echo wall ms | ratio | peak MB | echo peak MB |
|---|---|---|---|---|---|---|---|---|---|
${rows.join('\n')}

Aim: at 100 clients, a round at most ${TARGET} × the echo: in wall time ${verdict(at100?.wallRatio)}, in CPU time of the server
process, all its threads counted, ${verdict(at100?.cpuRatio)}. Most of both is WebSocket unmasking; what a round adds is, in this
order, the exact sum, the check for finite values, the checksum, garbage collection and the flush to disk.

${Object.values(parts).map(section).join('\n')}`;
mkdirSync(folder, { recursive: true });
writeFileSync(join(folder, 'bench.md'), page);
writeFileSync(json, `${JSON.stringify({ machine, results, parts } satisfies Stored, null, 2)}\n`);
process.stdout.write(page);
