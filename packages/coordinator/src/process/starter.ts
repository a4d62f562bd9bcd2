import { readFileSync } from 'node:fs';

/** How often the processes in between are looked at, in milliseconds. */
const LOOK_EVERY = 1000;

/** A process, and the parent it must have. */
interface Link {
  readonly child: number;
  readonly parent: number;
}

/** Reads from the system about processes. */
export interface Processes {
  /** The process id of a process's parent; null where it cannot be known, or the process is gone. */
  parentOf(process: number): number | null;
  /** Whether a package manager's script started it; false where that cannot be known. */
  isOfScript(process: number): boolean;
}

/** This process by Node, all others by `/proc`, which Linux has. */
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
 * The processes between this one and the command that a person or a supervisor started: for `npx pnpm start` a shell,
 * pnpm, another shell and npx. Some of them end by SIGTERM and pass it on to nobody, so that their end is all there is to
 * notice. Nothing is watched where no package manager's script started this process.
 */
export class Starter {
  readonly #processes: Processes;
  readonly #links: readonly Link[];

  /** Looks at the processes that are there now; the sooner, the less can have gone already. */
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

  /** Whether one of them has ended. */
  get isGone(): boolean {
    return this.#links.some(({ child, parent }) => this.#processes.parentOf(child) !== parent);
  }

  /** Calls `gone` once, when one of them has ended. Keeps no process alive. */
  watch(gone: () => void): void {
    if (this.#links.length === 0) return;
    const timer = setInterval(() => {
      if (!this.isGone) return;
      clearInterval(timer);
      gone();
    }, LOOK_EVERY).unref();
  }
}
