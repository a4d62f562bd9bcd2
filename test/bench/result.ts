import { loadavg } from 'node:os';
import { cpuUsage } from 'node:process';
import { median } from './statistics.ts';

/** What a benchmark found. Whoever writes one exports `measure(): Promise<BenchResult>`. */
export interface BenchResult {
  readonly name: string;
  /** How busy the machine was beside: the load average of the last minute, before and after. */
  readonly load: { readonly before: number; readonly after: number };
  readonly rows: readonly BenchRow[];
  readonly ratios: readonly BenchRatio[];
}

export interface BenchRow {
  readonly what: string;
  readonly median: number;
  readonly min: number;
  readonly max: number;
  readonly unit: string;
}

/** Of two medians of one run. */
export interface BenchRatio {
  readonly what: string;
  readonly value: number;
  /** What it should be; `null`: nothing was aimed at. */
  readonly aim: { readonly atLeast: number } | { readonly atMost: number } | null;
}

export function row(what: string, samples: readonly number[] | undefined, unit: string): BenchRow {
  if (samples === undefined) throw new Error(`"${what}" was not measured`);
  return { what, median: median(samples), min: Math.min(...samples), max: Math.max(...samples), unit };
}

/**
 * Measures by turns, so that what else the machine does falls on all alike.
 *
 * @param works each does its work once; one that measures by itself, such as another process, gives milliseconds.
 * @param by `cpu`: the CPU time of this process with all its threads, in which a wait for a processor that others use
 *   does not count.
 * @returns samples in milliseconds, by name.
 */
export async function byTurns(
  works: Readonly<Record<string, () => unknown>>,
  { turns, warmUp = 1, by = 'wall' }: { turns: number; warmUp?: number; by?: 'wall' | 'cpu' },
): Promise<Record<string, number[]>> {
  const samples: Record<string, number[]> = Object.fromEntries(Object.keys(works).map((name) => [name, []]));
  for (let turn = 0; turn < turns + warmUp; turn++) {
    for (const [name, work] of Object.entries(works)) {
      const began = clocks[by]();
      const given = await work();
      const milliseconds = typeof given === 'number' ? given : clocks[by]() - began;
      if (turn >= warmUp) samples[name]?.push(milliseconds);
    }
  }
  return samples;
}

const clocks = {
  wall: () => performance.now(),
  cpu: () => {
    const { user, system } = cpuUsage();
    return (user + system) / 1000;
  },
};

export function load(): number {
  return loadavg()[0] as number;
}

/** A result as a section of the page. */
export function section({ name, load, rows, ratios }: BenchResult): string {
  const number = (value: number) => (value >= 100 ? value.toFixed(0) : value.toPrecision(3));
  const aimed = ({ value, aim }: BenchRatio) => {
    if (aim === null) return '';
    const [wanted, reached] =
      'atLeast' in aim
        ? [`at least ${aim.atLeast}`, value >= aim.atLeast]
        : [`at most ${aim.atMost}`, value <= aim.atMost];
    return `${wanted}: **${reached ? 'reached' : 'missed'}**`;
  };
  return `## ${name}

Load of the machine meanwhile: ${load.before.toFixed(1)} before, ${load.after.toFixed(1)} after.

| | median | least | most | unit |
|---|---|---|---|---|
${rows.map((row) => `| ${row.what} | ${number(row.median)} | ${number(row.min)} | ${number(row.max)} | ${row.unit} |`).join('\n')}

| ratio of medians | | aim |
|---|---|---|
${ratios.map((ratio) => `| ${ratio.what} | ${number(ratio.value)} | ${aimed(ratio)} |`).join('\n')}
`;
}
