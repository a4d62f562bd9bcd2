import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AlarmBounds, identityOf, judge, referenceOf, reportLayout } from '@coppice/continuity';
import { defaultConfig, openStorage, startCoordinator } from '@coppice/coordinator';
import { decodeMeasures, MeasureSum } from '@coppice/federation';
import type { PeriodSummary, WatchedPeriod } from '@coppice/protocol';
import { drawnReports } from './drawn-reports.ts';
import { TurnMeter } from './turn-meter.ts';
import { reportedBinning, wideTask } from './wide-task.ts';

const DAY = 24 * 3600 * 1000;
const YEAR = 365;
const KEY = 'a-key-for-the-benchmark';
/** A built-in task, so that the coordinator knows it: its periods are those of a wide one. */
const TASK = 'iris';

export interface DriftPage {
  /** Milliseconds of CPU of this process for one answer, the reader included. */
  readonly read: () => Promise<{ cpu: number; longest: number; bytes: number }>;
  readonly close: () => Promise<void>;
}

/** A coordinator with a year of daily periods of a task with so many columns, in SQLite, and its drift data as the admin page asks for them. */
export async function driftPage(columns: number): Promise<DriftPage> {
  const dataDir = await mkdtemp(join(tmpdir(), 'coppice-bench-'));
  const storage = await openStorage({ ...defaultConfig, dataDir }, false);
  const period = judgedPeriod(columns);
  for (let day = 0; day < YEAR; day++)
    await storage.addPeriod({ ...period, period: day, startedAt: day * DAY, endedAt: (day + 1) * DAY });
  const config = { port: 0, adminKey: KEY, logLevel: 'silent', dataDir } as const;
  const coordinator = await startCoordinator({ config, storage });
  return {
    async read() {
      const meter = new TurnMeter();
      const began = process.cpuUsage();
      const response = await fetch(`${coordinator.url}/api/tasks/${TASK}/drift?summary=1`, {
        headers: { authorization: `Bearer ${KEY}` },
      });
      const text = await response.text();
      const { user, system } = process.cpuUsage(began);
      const longest = meter.longest();
      meter.stop();
      const periods = JSON.parse(text) as PeriodSummary[];
      if (periods.length !== YEAR || periods[0]?.verdict?.drift.tested !== columns + 2)
        throw new Error(`the drift of ${periods.length} periods came: ${text.slice(0, 500)}`);
      return { cpu: (user + system) / 1000, longest, bytes: text.length };
    },
    async close() {
      await coordinator.close();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

/** A period of so many columns, judged. */
function judgedPeriod(columns: number): WatchedPeriod {
  const binning = reportedBinning(wideTask(columns));
  const identity = identityOf(binning);
  const layout = reportLayout(binning, identity);
  const sum = new MeasureSum(layout);
  for (const numbers of drawnReports(binning, identity)) sum.add(decodeMeasures(layout, numbers));
  const sums = sum.totals();
  const reference = referenceOf(binning, sums);
  const steps = judge(sums, reference, new AlarmBounds());
  let step = steps.next();
  while (step.done !== true) step = steps.next();
  return {
    task: TASK,
    period: 0,
    reference: identityOf(reference),
    release: 1,
    startedAt: 0,
    endedAt: DAY,
    reports: sum.count,
    noise: 0,
    sums: Object.fromEntries([...sums].map(([name, of]) => [name, [...of]])),
    verdict: step.value,
  };
}
