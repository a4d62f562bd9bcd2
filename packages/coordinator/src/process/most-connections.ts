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

/** `null` where there is none, or the platform (Windows) does not say. */
function limitOfOpenFiles(): number | null {
  const report = process.report?.getReport() as
    | { userLimits?: { open_files?: { soft: number | string } } }
    | undefined;
  const soft = report?.userLimits?.open_files?.soft;
  return typeof soft === 'number' ? soft : null;
}
