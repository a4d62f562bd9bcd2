import { createHistogram, type RecordableHistogram } from 'node:perf_hooks';

/** Delay of a timer by the event loop, in milliseconds. */
export interface Stall {
  readonly longest: number;
  readonly p999: number;
  readonly p50: number;
  /** As `longest`, in CPU time of the loop's own thread, which excludes the effect of other processes. */
  readonly longestCpu: number;
  readonly p999Cpu: number;
  readonly samples: number;
}

/** Phases that do not count. */
const aside: ReadonlySet<string> = new Set(['starting', 'ending']);
/** All other phases together. */
export const TOGETHER = 'together';

/** Milliseconds between two readings of the clock. */
const EVERY = 1;

/**
 * Measures event-loop delay by phase: a timer checks every millisecond how late it is. (Node's `monitorEventLoopDelay`
 * does the same, but cannot resume an earlier histogram, and a phase recurs every round; nor does it measure CPU time.)
 */
export class StallMeter {
  readonly #phases = new Map<string, { wall: RecordableHistogram; cpu: RecordableHistogram }>();
  #phase: string;
  #last = process.hrtime.bigint();
  #lastCpu = cpuMicroseconds();

  constructor(phase: string) {
    this.#phase = phase;
    setInterval(() => this.#look(), EVERY);
  }

  get phase(): string {
    return this.#phase;
  }

  /** Begins a phase. Stalls until now, this turn of the loop included, count for the phase before. */
  enter(phase: string): void {
    this.#look();
    this.#phase = phase;
  }

  stalls(): Record<string, Stall> {
    const late = (nanoseconds: number) => Math.max(0, nanoseconds / 1e6 - EVERY);
    return Object.fromEntries(
      [...this.#phases].map(([phase, { wall, cpu }]) => [
        phase,
        {
          longest: late(wall.max),
          p999: late(wall.percentile(99.9)),
          p50: late(wall.percentile(50)),
          longestCpu: cpu.max / 1000,
          p999Cpu: cpu.percentile(99.9) / 1000,
          samples: wall.count,
        },
      ]),
    );
  }

  #look(): void {
    const now = process.hrtime.bigint();
    const cpu = cpuMicroseconds();
    const wall = now > this.#last ? now - this.#last : 1n;
    for (const name of aside.has(this.#phase) ? [this.#phase] : [this.#phase, TOGETHER]) {
      let phase = this.#phases.get(name);
      if (phase === undefined) {
        phase = { wall: createHistogram({ figures: 3 }), cpu: createHistogram({ figures: 3 }) };
        this.#phases.set(name, phase);
      }
      phase.wall.record(wall);
      phase.cpu.record(Math.max(1, cpu - this.#lastCpu));
    }
    this.#last = now;
    this.#lastCpu = cpu;
  }
}

function cpuMicroseconds(): number {
  const { user, system } = process.threadCpuUsage();
  return user + system;
}
