import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import type { Starter } from './starter.ts';

export interface StopRequests {
  /** Taken at the start of the process; see `Starter`. */
  readonly starter: Starter;
  /** Called once, at the first of them. */
  readonly stop: () => void;
  /** Takes SIGHUP for something else than the end of the terminal. */
  readonly hangUp?: () => void;
}

/**
 * Asks for an end in good order at SIGINT, at SIGTERM, at SIGHUP where it means that the terminal is gone, and when the
 * package manager that started this process has ended. SIGINT or SIGTERM a second time ends the process at once.
 */
export function onStopRequest({ starter, stop, hangUp }: StopRequests): void {
  let asked = false;
  const once = () => {
    if (asked) return;
    asked = true;
    stop();
  };
  process.once('SIGINT', once);
  process.once('SIGTERM', once);
  // Node forgets at its start that nohup had SIGHUP ignored; with a listener the signal is at least no longer its end.
  process.on('SIGHUP', hangUp ?? (startedByNohup() ? () => {} : once));
  starter.watch(once);
}

/** Whether nohup started this process: by the shell's word, or by the unreadable standard input that GNU's nohup leaves. */
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
