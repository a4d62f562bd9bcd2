import { loadavg } from 'node:os';
import { cpuUsage } from 'node:process';
import { median } from './statistics.ts';

/** The result of a benchmark. Each benchmark exports `measure(): Promise<BenchResult>`. */
export interface BenchResult {
  readonly name: string;
  /** Load average of the last minute, before and after. */
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

/** Ratio of two medians of one run. */
export interface BenchRatio {
  readonly what: string;
  readonly value: number;
  /** Aim for the ratio; `null`: none. */
  readonly aim: { readonly atLeast: number } | { readonly atMost: number } | null;
}

export function row(what: string, samples: readonly number[] | undefined, unit: string): BenchRow {
  if (samples === undefined) throw new Error(`"${what}" was not measured`);
  return { what, median: median(samples), min: Math.min(...samples), max: Math.max(...samples), unit };
}

/**
 * Measures by turns, so that other load on the machine affects all alike.
 *
 * @param works each runs its work once; one that measures itself, such as another process, returns milliseconds.
 * @param by `cpu`: the CPU time of this process with all its threads, which excludes waits for a busy processor.
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

/** Formats a result as a section of the page. */
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
