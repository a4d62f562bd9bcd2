import { type Clock, coalesce } from '@coppice/ports';
import type { Run } from '@coppice/protocol';
import { type Runs, summaryOf } from '../registry/runs.ts';
import { isOver } from '../rounds/machine.ts';
import type { AdmittedRuns } from './admitted-runs.ts';
import type { Presences } from './presences.ts';
import type { Watches } from './watches.ts';

/** Shortest interval between two pushes of a run's summary and head counts, in milliseconds. */
export const PUSH_INTERVAL = 250;
/** Milliseconds that each connection adds to the interval, up to the longest, so that the cost stays bounded. */
export const PUSH_INTERVAL_EACH = 2;
export const LONGEST_PUSH_INTERVAL = 3000;

export interface SummaryPushesOptions {
  readonly runs: Pick<Runs, 'get' | 'find'>;
  readonly admitted: Pick<AdmittedRuns, 'admits'>;
  readonly presences: Pick<Presences, 'connected' | 'send' | 'forgetAll'>;
  readonly watches: Pick<Watches, 'of' | 'arrivals'>;
  readonly clock: Clock;
}

/** Pushes changed runs: summaries to members and watchers, head counts to members. A burst of changes becomes one push. */
export class SummaryPushes {
  readonly #o: SummaryPushesOptions;
  readonly #pushes = new Map<string, ReturnType<typeof coalesce>>();
  /** The last pushed status and admission of each run, for watchers of arrivals. */
  readonly #standings = new Map<string, string>();

  constructor(options: SummaryPushesOptions) {
    this.#o = options;
  }

  /** Pushes the state of a run, at the end of the interval. */
  request(run: string): void {
    let push = this.#pushes.get(run);
    if (push === undefined) {
      const interval = () =>
        Math.min(LONGEST_PUSH_INTERVAL, PUSH_INTERVAL + PUSH_INTERVAL_EACH * this.#o.presences.connected);
      push = coalesce(this.#o.clock, interval, () => this.#push(run));
      this.#pushes.set(run, push);
    }
    push.request();
  }

  close(): void {
    for (const push of this.#pushes.values()) push.cancel();
  }

  #push(id: string): void {
    const { runs, presences } = this.#o;
    const run = runs.get(id);
    const heads = runs.find(id)?.heads();
    this.#tell(run, heads?.here ?? []);
    if (isOver(run.status)) presences.forgetAll();
    else if (heads !== undefined) {
      const { here, working, done } = heads;
      presences.send(here, 'peers', { run: id, joined: here.length, working, done });
    }
  }

  /** Sends the summary. Participants that the run does not admit see less of it. */
  #tell(run: Run, joined: readonly string[]): void {
    const { admitted, presences, watches, clock } = this.#o;
    const standing = `${run.status} ${run.admission}`;
    const arrivals = this.#standings.get(run.id) === standing ? [] : watches.arrivals;
    this.#standings.set(run.id, standing);
    const inside: string[] = [];
    const outside: string[] = [];
    for (const id of new Set([...joined, ...watches.of(run.id), ...arrivals]))
      (run.admission === 'open' || admitted.admits(id, run.id) ? inside : outside).push(id);
    const now = clock.now();
    presences.send(inside, 'run', { run: summaryOf(run, true), now });
    presences.send(outside, 'run', { run: summaryOf(run, false), now });
  }
}
