import { builtInTask } from '@coppice/datasets';
import type { Task } from '@coppice/protocol';
import { type BenchRatio, type BenchResult, type BenchRow, load, row } from './result.ts';
import { type RoundOverhead, roundOverhead } from './round-overhead.ts';
import { median } from './statistics.ts';

/*
 * What a round costs the coordinator. Headless clients that do not train: selection, weights out, updates in, checks, exact
 * sum, checkpoint on disk (flushed), event log. Beside it, by turns, a bare Socket.IO server that sends and acknowledges the
 * same bytes. Each server is a process of its own.
 */

/** Figures of the closest peer, DISCO: 100 clients with 109,386 parameters, and the plain loop's time on the same machine. */
const PEER = { clients: 100, wall: 650, plainLoop: 250 };

const digits = builtInTask('mnist-2nn') as Task;
/** The network of the peer's measurement: 784–128–64–10. */
const peerSized: Task = { ...digits, id: 'peer-sized', samples: false, model: withUnits(digits, [128, 64]) };

const measured = [
  { clients: 10, rounds: 20, task: digits },
  { clients: 50, rounds: 20, task: digits },
  { clients: 100, rounds: 20, task: digits },
  { clients: PEER.clients, rounds: 20, task: peerSized },
  { clients: 1000, rounds: 9, task: digits },
  { clients: 1000, rounds: 9, task: digits, codec: 'int8' },
] as const;

export async function measure(): Promise<BenchResult> {
  const before = load();
  const rows: BenchRow[] = [];
  const ratios: BenchRatio[] = [];
  const walls = new Map<string, number>();
  for (const options of measured) {
    const codec = 'codec' in options ? options.codec : 'float32';
    const result = await roundOverhead(options);
    const { clients, parameters, coordinator, echo, cpuRatio, wallRatio } = result;
    const name = `${clients} × ${parameters.toLocaleString('en')}${codec === 'float32' ? '' : ` as ${codec}`}`;
    walls.set(`${clients} ${options.task.id} ${codec}`, median(coordinator.wall));
    rows.push(
      row(`${name}: a round`, coordinator.wall, 'ms'),
      row('… CPU of the coordinator', coordinator.cpu, 'ms'),
      row('… longest stall of the coordinator', [coordinator.longestStall], 'ms'),
      row('… memory of the coordinator at most', [coordinator.peakMegabytes], 'MB'),
      row('… the echo', echo.wall, 'ms'),
      row('… CPU of the echo', echo.cpu, 'ms'),
      row('… longest stall of the echo', [echo.longestStall], 'ms'),
      row('… memory of the echo at most', [echo.peakMegabytes], 'MB'),
    );
    ratios.push(
      {
        what: `${name}: a round / echo`,
        value: wallRatio,
        aim: codec === 'float32' ? (aims[clients] ?? null) : null,
      },
      { what: `${name}: CPU of a round / of the echo`, value: cpuRatio, aim: null },
    );
    if (options.task === peerSized) ratios.push(...againstPeer(result));
  }
  const [int8, float32] = ['int8', 'float32'].map((codec) => walls.get(`1000 ${digits.id} ${codec}`));
  if (int8 !== undefined && float32 !== undefined)
    ratios.push({
      what: '1000 clients: a round with int8 / with float32',
      value: int8 / float32,
      aim: { atMost: 0.5 },
    });
  return { name: 'What a round costs the coordinator', load: { before, after: load() }, rows, ratios };
}

const aims: Readonly<Record<number, BenchRatio['aim']>> = { 100: { atMost: 1.5 }, 1000: { atMost: 1.2 } };

/** The peer's figures scaled to this machine, by its time for the plain loop. */
function againstPeer({ coordinator }: RoundOverhead): BenchRatio[] {
  const theirs = PEER.wall * (plainLoop() / PEER.plainLoop);
  return [
    {
      what: `${PEER.clients} clients: a round / DISCO's, scaled to this machine`,
      value: median(coordinator.wall) / theirs,
      aim: { atMost: 0.5 },
    },
    {
      what: `${PEER.clients} clients: longest stall, ms`,
      value: coordinator.longestStall,
      aim: { atMost: 50 },
    },
  ];
}

/** Milliseconds to sum a hundred updates of a million float32 in plain JavaScript, as a measure of this machine's speed. */
function plainLoop(): number {
  const update = new Float32Array(1_000_000).fill(1e-3);
  const times = Array.from({ length: 5 }, () => {
    const sum = new Float64Array(update.length);
    const began = performance.now();
    for (let client = 0; client < 100; client++)
      for (let i = 0; i < sum.length; i++) sum[i] = (sum[i] as number) + (update[i] as number) * 0.01;
    return performance.now() - began;
  });
  return median(times);
}

function withUnits(task: Task, units: readonly number[]): Task['model'] {
  const model = structuredClone(task.model) as { config: { layers: { config: { units?: number } }[] } };
  for (const [index, count] of units.entries()) {
    const layer = model.config.layers.filter(({ config }) => config.units !== undefined)[index];
    if (layer !== undefined) layer.config.units = count;
  }
  return model as unknown as Task['model'];
}
