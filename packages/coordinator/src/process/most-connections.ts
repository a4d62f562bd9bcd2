import { readFileSync } from 'node:fs';

/** Open files kept for what is no connection: database, weights, spool, log, threads, connections to other servers. */
const RESERVE = 200;

/**
 * The most connections, of any kind, that the system's limit of open files leaves room for; beyond, the process could
 * write down nothing any more. `null`: there is no limit.
 *
 * @param openFiles the limit; left out, this process's.
 */
export function mostConnections(openFiles: number | null = limitOfOpenFiles()): number | null {
  if (openFiles === null) return null;
  return Math.max(Math.floor(openFiles / 2), openFiles - RESERVE);
}

/** `null` where there is none, or the platform has no `/proc` that tells. */
function limitOfOpenFiles(): number | null {
  try {
    const soft = /^Max open files +(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1];
    return soft === undefined ? null : Number(soft);
  } catch {
    return null;
  }
}
