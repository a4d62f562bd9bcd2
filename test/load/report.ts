import { median } from '../bench/statistics.ts';
import type { LoadFigures, LoadOptions, RoundFigures } from './rounds.ts';
import { growth, type MemorySample, type SoakOptions } from './soak.ts';
import { TOGETHER } from './stall-meter.ts';

/** The aims of docs/results/load.md. */
const aims = {
  /** Milliseconds, at the 99.9th percentile. */
  stall: 50,
  /** Bytes: a process with its evaluation thread, and each connection. */
  memory: (connections: number) => 300 * 2 ** 20 + 100 * 2 ** 10 * connections,
} as const;

/** Memory growth in bytes a round that counts as none. */
const flat = { heap: 5 * 1024, external: 1024 } as const;

export interface Measured {
  readonly machine: string;
  readonly load: string;
  readonly openFiles: string;
  readonly options: LoadOptions;
  readonly figures: LoadFigures;
  readonly soakOptions: SoakOptions;
  readonly soak: readonly MemorySample[];
}

const megabytes = (bytes: number) => (bytes / 2 ** 20).toFixed(0);
const seconds = (milliseconds: number) => (milliseconds / 1000).toFixed(1);
const verdict = (reached: boolean, figure: string) => `**${reached ? 'reached' : 'missed'}** (${figure})`;

/** The content of docs/results/load.md. */
export function page({ machine, load, openFiles, options, figures, soakOptions, soak }: Measured): string {
  const { participants, cohort } = options;
  const { stalls } = figures.end;
  const over = (of: (round: RoundFigures) => number) => median(figures.rounds.map(of));
  const together = stalls[TOGETHER];
  if (together === undefined) throw new Error('no stall was measured');
  const memoryAim = aims.memory(participants);
  const { peak } = figures.end;
  const phases = Object.entries(stalls).map(([name, stall]) => {
    const figure = (value: number) => value.toFixed(1);
    const label = name === TOGETHER ? '**all but the start and the end**' : name;
    return `| ${label} | ${figure(stall.longest)} | ${figure(stall.p999)} | ${figure(stall.longestCpu)} | ${figure(stall.p999Cpu)} | ${figure(stall.p50)} | ${stall.samples} |`;
  });
  const first = soak[0];
  const last = soak.at(-1);
  const line = (of: keyof MemorySample) =>
    `| ${of} | ${megabytes(first?.[of] ?? 0)} | ${megabytes(last?.[of] ?? 0)} | ${(growth(soak, of) / 1024).toFixed(1)} |`;
  return `# ${participants.toLocaleString('en')} participants on one coordinator

One coordinator process, as it is started by default (SQLite, files, evaluation thread), with ${participants.toLocaleString('en')} participants
connected over WebSocket, each with a key of its own and joined to one run of \`${options.task}\` (199,210 float32 parameters,
797 kB an update), an admin's socket watching all the time, and rounds of ${cohort.toLocaleString('en')} of them. The participants do not train: they send bytes
that were prepared. To be hard on the coordinator, everyone connects as fast as it lets them in, and all updates of a round are
sent in the same moment, once the last of the cohort has its weights. Medians of ${figures.rounds.length} rounds after ${options.warmUp} to warm up. Repeat, and write this
page anew, with \`pnpm test:load\` (minutes; it wants ${(participants + 500).toLocaleString('en')} open files in each of two processes: \`ulimit -n\` was ${openFiles}).

Machine: ${machine}. Load average over one minute before it began: ${load}. Two processes of participants and the test itself share
these cores with the coordinator, so that times on the clock are of both, though participants give way (nice 10); CPU time is told
apart.

## Aims

- The event loop's stall is at most ${aims.stall} ms at the 99.9th percentile: ${verdict(together.p999 <= aims.stall, `${together.p999.toFixed(1)} ms`)}; in CPU time of its thread
  ${verdict(together.p999Cpu <= aims.stall, `${together.p999Cpu.toFixed(1)} ms`)}.
- Memory at its peak is at most 300 MB and 100 kB a connection, here ${megabytes(memoryAim)} MB: ${verdict(peak <= memoryAim, `${megabytes(peak)} MB`)}.
- A soak of ${soakOptions.rounds - soakOptions.warmUp} rounds shows flat memory: ${verdict(growth(soak, 'heap') < flat.heap && growth(soak, 'external') < flat.external, `${(growth(soak, 'heap') / 1024).toFixed(1)} kB of heap a round`)}.

Where processes of others take the cores away, times on the clock say how busy the machine was; CPU times are then what speaks of the
coordinator. What is left of its stalls is by a profile mostly the garbage collector, which marks the objects of all connections each
time, and writing to sockets. A smaller young generation (\`--max-semi-space-size\`) was tried and does not help; giving back what messages were copied
out of at once did: a fifth of the collections are left.

## Stalls

Milliseconds by which a timer that is due every millisecond came late. "CPU": what the thread of the event loop itself computed between
two looks, which other processes on the machine cannot add to.

| phase | longest | 99.9 % | longest, CPU | 99.9 %, CPU | median | looks |
|---|---|---|---|---|---|---|
${phases.join('\n')}

## A round

| | median of ${figures.rounds.length} rounds |
|---|---|
| CPU of the coordinator, all threads | ${over(({ cpu }) => cpu).toFixed(0)} ms |
| CPU of the participants' processes | ${over(({ participantsCpu }) => participantsCpu).toFixed(0)} ms |
| on the clock, from start to everyone knowing of the end | ${seconds(over(({ wall }) => wall))} s |
| of that: weights to ${cohort.toLocaleString('en')} | ${seconds(over(({ distributing }) => distributing))} s |
| updates from ${cohort.toLocaleString('en')}, each on disk and acknowledged | ${seconds(over(({ collecting }) => collecting))} s |
| the rest: mean, model, evaluation on 10,000 pictures, commit, the news | ${seconds(over(({ applying }) => applying))} s |
| bytes to the cohort | ${megabytes(over(({ bytesDown }) => bytesDown))} MB |
| bytes from the cohort | ${megabytes(over(({ bytesUp }) => bytesUp))} MB |

## Connections

All ${participants.toLocaleString('en')} connected, proved their keys and joined in ${seconds(figures.connecting.wall)} s, for ${(figures.connecting.cpu / participants).toFixed(2)} ms of the coordinator's CPU each (and
${(figures.connecting.participantsCpu / participants).toFixed(2)} ms of the participants'). Doing nothing, they cost ${(figures.idleCpu * 100).toFixed(1)} % of a core.

| memory in MB | resident | peak | heap | buffers outside it |
|---|---|---|---|---|
${(
  [
    ['nobody here', figures.empty],
    ['all connected', figures.connected],
    ['after all rounds', figures.end],
  ] as const
)
  .map(
    ([name, usage]) =>
      `| ${name} | ${megabytes(usage.resident)} | ${megabytes(usage.peak)} | ${megabytes(usage.heap)} | ${megabytes(usage.external)} |`,
  )
  .join('\n')}

## Soak

${soakOptions.rounds - soakOptions.warmUp} rounds of \`${soakOptions.task}\`, after ${soakOptions.warmUp} in which the engine compiles what it will, with ${soakOptions.participants} participants, all of them in each, one round after the other, an admin's socket open. Memory right
after the garbage was collected, every ${soakOptions.every} rounds; the last column is the slope of a straight line through it.
\`pnpm test:chaos\` runs the same and fails where memory grows.

| | MB, first | MB, last | kB a round |
|---|---|---|---|
${(['heap', 'external', 'resident'] as const).map(line).join('\n')}

`;
}
