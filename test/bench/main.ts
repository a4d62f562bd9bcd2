import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { roundOverhead } from './round-overhead.ts';

/* `pnpm bench`: what a round costs the coordinator, beside a bare Socket.IO echo of the same bytes. */
const ROUNDS = 20;
const TARGET = 1.5;

const machine = `${cpus().length} × ${cpus()[0]?.model.trim() ?? 'unknown processor'}, Node ${process.version}`;
const results = [];
for (const clients of [10, 50, 100]) results.push(await roundOverhead(clients, ROUNDS));

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
`;
const folder = join(fileURLToPath(new URL('../..', import.meta.url)), 'docs', 'results');
mkdirSync(folder, { recursive: true });
writeFileSync(join(folder, 'bench.md'), page);
writeFileSync(join(folder, 'bench.json'), `${JSON.stringify({ machine, results }, null, 2)}\n`);
process.stdout.write(page);
