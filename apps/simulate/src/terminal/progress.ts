import type { DoneEvent, RoundEvent } from '../events.ts';
import { LinesProgress } from './lines-progress.ts';
import { LiveProgress } from './live-progress.ts';

/** Progress display of a simulation. */
export interface Progress {
  /** Called with the number of clients that have joined. */
  joined(clients: number): void;
  /** Called during a round with the number of clients that have sent their update, of those asked. */
  within(done: number, asked: number): void;
  /** A round was committed. */
  round(event: RoundEvent): void;
  /** Prints a separate line, e.g. about an abandoned round; the bar goes on below it. */
  note(message: string): void;
  done(event: DoneEvent): void;
  fail(message: string): void;
}

export interface ProgressTotal {
  /** The most rounds: a run with a target accuracy may end sooner. */
  readonly rounds: number;
  readonly clients: number;
}

/** The required part of the output stream. */
export type ProgressStream = Pick<NodeJS.WriteStream, 'write' | 'isTTY'> & {
  readonly columns?: number | undefined;
};

/** The environment that decides its form. */
export interface ProgressWorld {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Milliseconds since an arbitrary moment. */
  now(): number;
}

/**
 * A bar that redraws itself in one line on a terminal; elsewhere (a file, a pipe, CI, a terminal that cannot move its
 * cursor), a line for each round. `NO_COLOR` (no-color.org) disables colours.
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
