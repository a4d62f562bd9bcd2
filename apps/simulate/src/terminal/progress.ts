import type { DoneEvent, RoundEvent } from '../events.ts';
import { LinesProgress } from './lines-progress.ts';
import { LiveProgress } from './live-progress.ts';

/** How a simulation shows that it goes on. */
export interface Progress {
  /** So many clients have joined by now. */
  joined(clients: number): void;
  /** So many of the clients asked in the round under way have sent their update. */
  within(done: number, asked: number): void;
  /** A round was committed. */
  round(event: RoundEvent): void;
  /** A line of its own, e.g. about a round that was abandoned; the bar goes on below it. */
  note(message: string): void;
  done(event: DoneEvent): void;
  fail(message: string): void;
}

export interface ProgressTotal {
  /** At most: a run with a target accuracy may end sooner. */
  readonly rounds: number;
  readonly clients: number;
}

/** What a progress needs of the stream it writes to. */
export type ProgressStream = Pick<NodeJS.WriteStream, 'write' | 'isTTY'> & {
  readonly columns?: number | undefined;
};

/** What decides how it looks, apart from the stream. */
export interface ProgressWorld {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Milliseconds, from any start. */
  now(): number;
}

/**
 * A bar that redraws itself in one line on a terminal; elsewhere (a file, a pipe, CI, a terminal that
 * cannot move its cursor) a line for each round. `NO_COLOR` (no-color.org) leaves out the colours.
 */
export function createProgress(
  stream: ProgressStream,
  total: ProgressTotal,
  world: ProgressWorld = { env: process.env, now: () => performance.now() },
): Progress {
  const { env } = world;
  const live = stream.isTTY === true && !isSet(env['CI']) && env['TERM'] !== 'dumb';
  if (!live) return new LinesProgress(stream, total);
  return new LiveProgress(stream, total, { colour: !env['NO_COLOR'], now: world.now });
}

function isSet(value: string | undefined): boolean {
  return value !== undefined && value !== '' && value !== 'false' && value !== '0';
}
