import { readFileSync } from 'node:fs';

/** Milliseconds between two checks of the processes in between. */
const LOOK_EVERY = 1000;

/** A process, and the parent it must have. */
interface Link {
  readonly child: number;
  readonly parent: number;
}

/** Access to the system's process table. */
export interface Processes {
  /** The process id of a process's parent; null where it is unknown or the process is gone. */
  parentOf(process: number): number | null;
  /** True where a package manager's script started the process; false where that is unknown. */
  isOfScript(process: number): boolean;
}

/** This process through Node, all others through `/proc` (Linux). */
export const systemProcesses: Processes = {
  parentOf(id) {
    if (id === process.pid) return process.ppid;
    try {
      // The name in brackets may hold anything, spaces and brackets too.
      const [, parent] = readFileSync(`/proc/${id}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
      return parent === undefined ? null : Number(parent);
    } catch {
      return null;
    }
  },
  isOfScript(id) {
    if (id === process.pid) return process.env['npm_lifecycle_event'] !== undefined;
    try {
      return readFileSync(`/proc/${id}/environ`, 'latin1').includes('npm_lifecycle_event=');
    } catch {
      return false;
    }
  },
};

/**
 * The processes between this one and the command of a person or a supervisor: for `npx pnpm start` a shell, pnpm,
 * another shell and npx. Some of them end on SIGTERM without passing it on, so that their end is the only sign. Nothing
 * is watched where no package manager's script started this process.
 */
export class Starter {
  readonly #processes: Processes;
  readonly #links: readonly Link[];

  /** Records the present processes; the earlier, the fewer can be gone already. */
  constructor(processes: Processes = systemProcesses) {
    this.#processes = processes;
    const links: Link[] = [];
    for (let child = process.pid; processes.isOfScript(child); ) {
      const parent = processes.parentOf(child);
      if (parent === null || parent === 0) break;
      links.push({ child, parent });
      child = parent;
    }
    this.#links = links;
  }

  /** True once one of them has ended. */
  get isGone(): boolean {
    return this.#links.some(({ child, parent }) => this.#processes.parentOf(child) !== parent);
  }

  /** Calls `gone` once, when one of them has ended. Does not keep the process alive. */
  watch(gone: () => void): void {
    if (this.#links.length === 0) return;
    const timer = setInterval(() => {
      if (!this.isGone) return;
      clearInterval(timer);
      gone();
    }, LOOK_EVERY).unref();
  }
}
