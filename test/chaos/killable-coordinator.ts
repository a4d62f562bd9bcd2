import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  fileSpool,
  openStorage,
  readConfig,
  type Spool,
  startCoordinator,
  stopOnSignals,
} from '@coppice/coordinator';
import { type Failpoint, withFailpoints } from './failpoints.ts';
import type { FoundRun, LedgerLine } from './ledger.ts';

/*
 * A coordinator that kills itself, as the kernel would, at a point it is told; and that writes down what
 * it is about to promise, so that the one after it can be held to that.
 */
export interface Orders {
  readonly dataDir: string;
  /** Further options, as environment variables. */
  readonly environment: Readonly<Record<string, string>>;
  readonly port: number;
  readonly adminKey: string;
  readonly ledger: string;
  readonly failpoint: Failpoint | null;
}

const orders = JSON.parse(process.argv[2] as string) as Orders;
const passes = new Map<string, number>();
const passed = (point: string) => {
  const nth = (passes.get(point) ?? 0) + 1;
  passes.set(point, nth);
  if (orders.failpoint?.at !== point || orders.failpoint.nth !== nth) return;
  const die = () => process.kill(process.pid, 'SIGKILL');
  if (orders.failpoint.delay === undefined) die();
  else setTimeout(die, orders.failpoint.delay);
};
const note = (line: LedgerLine) => appendFileSync(orders.ledger, `${JSON.stringify(line)}\n`);

/** Wraps a spool: every answer is recorded in the ledger before it is acknowledged. */
function noted(spool: Spool): Spool {
  /** The open round of each run. */
  const rounds = new Map<string, number>();
  return {
    ...spool,
    get waiting() {
      return spool.waiting;
    },
    open(opening) {
      if ('run' in opening) rounds.set(opening.run, opening.round);
      spool.open(opening);
    },
    async recover(run) {
      const spooled = await spool.recover(run);
      if (spooled !== null && 'run' in spooled.opening) rounds.set(run, spooled.opening.round);
      return spooled;
    },
    async append(run, answer) {
      const round = rounds.get(run);
      if (round === undefined) throw new Error('an answer without a round');
      await spool.append(run, answer);
      note({ event: 'kept', run, round, participant: answer.participant });
    },
  };
}

const config = readConfig(['--data-dir', orders.dataDir, '--log-level', 'silent'], orders.environment);
if (config === 'help') throw new Error('nobody asked for help');
const coordinator = await startCoordinator({
  config: { ...config, port: orders.port, adminKey: orders.adminKey },
  storage: withFailpoints(await openStorage(config), 'storage', passed),
  spool: withFailpoints(noted(fileSpool(join(orders.dataDir, 'spool'))), 'spool', passed),
});
const runs: Record<string, FoundRun> = {};
for (const { id, round: committed } of coordinator.runs.all()) runs[id] = { committed, open: null };
for (const engine of coordinator.runs.engines()) {
  const open = engine.openRound();
  const counted = open?.cohort.filter(({ outcome }) => outcome === 'accepted') ?? [];
  runs[engine.id] = {
    committed: engine.summary().round,
    open: open && { round: open.round, participants: counted.map(({ participant }) => participant) },
  };
}
note({ event: 'ready', runs });
stopOnSignals(coordinator);
process.on('disconnect', () => process.exit(0));
process.send?.({ url: coordinator.url });
