import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import type { Starter } from './starter.ts';

export interface StopRequests {
  /** Created at the start of the process; see `Starter`. */
  readonly starter: Starter;
  /** Called once, at the first request, with its signal; `null` where the package manager that started it has ended. */
  readonly stop: (signal: StopSignal | null) => void;
  /** Handles SIGHUP where it has another meaning than the end of the terminal. */
  readonly hangUp?: () => void;
}

export type StopSignal = 'SIGINT' | 'SIGTERM' | 'SIGHUP';

/**
 * Requests a graceful stop at SIGINT, at SIGTERM, at SIGHUP where it means that the terminal is gone, and at the end of
 * the package manager that started this process. A second SIGINT or SIGTERM ends the process at once.
 */
export function onStopRequest({ starter, stop, hangUp }: StopRequests): void {
  let asked = false;
  const once = (signal: StopSignal | null) => {
    if (asked) return;
    asked = true;
    stop(signal);
  };
  process.once('SIGINT', () => once('SIGINT'));
  process.once('SIGTERM', () => once('SIGTERM'));
  // Node forgets at its start that nohup had SIGHUP ignored; with a listener the signal is at least no longer its end.
  process.on('SIGHUP', hangUp ?? (startedByNohup() ? () => {} : () => once('SIGHUP')));
  starter.watch(() => once(null));
}

/** Detects a start by nohup: from the shell's environment, or from the unreadable standard input that GNU's nohup leaves. */
function startedByNohup(): boolean {
  if (basename(process.env['_'] ?? '') === 'nohup') return true;
  try {
    const flags = /^flags:\s*([0-7]+)$/m.exec(readFileSync('/proc/self/fdinfo/0', 'utf8'))?.[1];
    const WRITE_ONLY = 1;
    const ACCESS = 3;
    return flags !== undefined && (Number.parseInt(flags, 8) & ACCESS) === WRITE_ONLY;
  } catch {
    return false;
  }
}
