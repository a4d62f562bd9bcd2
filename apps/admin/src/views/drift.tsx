import type { Policy } from '@coppice/continuity';
import type { DataSchema, Firing, PeriodSummary, WatchInfo } from '@coppice/protocol';
import { formatDateTime, formatNumber, formatShare, type Line, LineChart, language } from '@coppice/ui';
import { useMemo, useState } from 'preact/hooks';
import { periodLines } from '../monitoring/period-lines.ts';
import { writeRoute } from '../shell/route.ts';
import { formatEffect, testName } from './drift-words.ts';
import { List } from './list.tsx';
import { monitoringText } from './monitoring-texts.ts';
import { PeriodDetail } from './period.tsx';
import { type LivePeriods, usePeriod } from './use-monitoring.ts';

/** Periods that are listed at first: formatting hundreds of them takes longer than all else on the page. */
const FIRST = 50;

const bands = [['upper', 'lower']] as const;
const shareOf = (value: number) => formatShare(value);

/** A task's drift and errors over its periods, and one period in detail. */
export function DriftSection({
  task,
  data,
  live: { periods, more },
  chosen,
  watch,
  policy,
  firings,
}: {
  task: string;
  data: DataSchema | null;
  live: LivePeriods;
  /** Null: the newest that was judged. */
  chosen: number | null;
  watch: WatchInfo | null;
  policy: Policy | null;
  firings: readonly Firing[];
}) {
  const t = monitoringText();
  const shown = chosen ?? periods?.find(({ verdict }) => verdict !== null)?.period ?? null;
  const period = usePeriod(task, shown);
  return (
    <section class="stack" aria-labelledby="drift-title" data-testid="drift">
      <h2 id="drift-title">{t.drift}</h2>
      {periods?.length === 0 && <p class="quiet">{t.noPeriods}</p>}
      {periods !== null && periods.length > 0 && (
        <>
          <Charts task={task} periods={periods} />
          {/* Without the task, classes would be told by their numbers. */}
          {period !== null && data !== null && (
            <PeriodDetail
              key={period.period}
              period={period}
              data={data}
              watch={watch}
              policy={policy}
              firings={firings.filter((firing) => firing.period === period.period)}
            />
          )}
          <Periods task={task} periods={periods} shown={shown} more={more} />
        </>
      )}
    </section>
  );
}

function Charts({ task, periods }: { task: string; periods: readonly PeriodSummary[] }) {
  const t = monitoringText();
  const inLanguage = language.value;
  const { drift, errors } = useMemo(() => periodLines(periods), [periods]);
  const driftLines = useMemo<Line[]>(
    () => [
      { id: 'effect', label: t.worst, points: drift.value, slot: 0 },
      { id: 'lower', label: t.lower, points: drift.lower, slot: 0, faint: true },
      { id: 'upper', label: t.upper, points: drift.upper, slot: 0, faint: true },
      { id: 'bound', label: t.threshold, points: drift.bound, slot: 1 },
    ],
    [drift, inLanguage],
  );
  const errorLines = useMemo<Line[]>(
    () => [
      { id: 'rate', label: t.error, points: errors.value, slot: 0 },
      { id: 'lower', label: t.lower, points: errors.lower, slot: 0, faint: true },
      { id: 'upper', label: t.upper, points: errors.upper, slot: 0, faint: true },
    ],
    [errors, inLanguage],
  );
  const ends = useMemo(() => new Map(periods.map(({ period, endedAt }) => [period, endedAt])), [periods]);
  const where = (period: number) => t.inPeriod(formatNumber(period), formatDateTime(ends.get(period) ?? 0));
  const judged = periods.filter(({ verdict }) => verdict !== null);
  const newest = judged.find(({ verdict }) => verdict?.drift.worst != null);
  const newestError = judged.find(({ verdict }) => verdict?.errors != null);
  const alarms = judged.filter(({ verdict }) => verdict?.drift.alarm === true).length;
  const common = { xName: t.period, where, better: 'low', smoothing: 0, bands, syncKey: 'periods' } as const;
  return (
    <div class="charts">
      <LineChart
        {...common}
        name={`${task}-drift`}
        title={t.driftChart}
        testId="drift-chart"
        lines={driftLines}
        format={formatEffect}
        summary={
          newest === undefined
            ? ''
            : t.driftSummary(
                formatEffect(newest.verdict?.drift.worst?.effect ?? 0),
                where(newest.period),
                alarms,
                judged.length,
              )
        }
        empty={t.noVerdicts}
      />
      {newestError !== undefined && (
        <LineChart
          {...common}
          name={`${task}-errors`}
          title={t.errorChart}
          testId="errors-chart"
          lines={errorLines}
          format={shareOf}
          bounds={[0, 1]}
          summary={t.errorSummary(shareOf(newestError.verdict?.errors?.rate ?? 0), where(newestError.period))}
          empty={t.noVerdicts}
        />
      )}
    </div>
  );
}

function Periods({
  task,
  periods,
  shown,
  more,
}: {
  task: string;
  periods: readonly PeriodSummary[];
  shown: number | null;
  more: (() => void) | null;
}) {
  const t = monitoringText();
  const [whole, setWhole] = useState(false);
  const listed = whole ? periods : periods.slice(0, FIRST);
  const tested = (what: 'drift' | 'quality') => (one: PeriodSummary) => {
    const found = one.verdict?.[what];
    if (found === undefined) return <span class="quiet">{t.tooFew}</span>;
    return found.alarms === 0 ? (
      t.none
    ) : (
      <span class={`badge ${what === 'drift' ? 'warn' : 'bad'}`}>{t.alarms(found.alarms)}</span>
    );
  };
  return (
    <div class="stack">
      <h3>{t.periods}</h3>
      <List
        label={t.periods}
        testId="periods"
        rows={listed}
        keyOf={({ period }) => period}
        low
        columns={[
          {
            name: t.period,
            heading: true,
            cell: ({ period }) => (
              <a
                href={writeRoute({ view: 'monitoring', task, period })}
                aria-label={t.show(formatNumber(period))}
                aria-current={period === shown ? 'true' : undefined}
                data-testid={`period-${period}`}
              >
                {formatNumber(period)}
              </a>
            ),
          },
          { name: t.when, cell: ({ endedAt }) => formatDateTime(endedAt) },
          { name: t.reportsCount, end: true, cell: ({ reports }) => formatNumber(reports) },
          { name: t.driftColumn, cell: tested('drift') },
          {
            name: t.worst,
            cell: ({ verdict }) => {
              const worst = verdict?.drift.worst ?? null;
              return worst === null ? '–' : `${testName(worst)} · ${formatEffect(worst.effect)}`;
            },
          },
          { name: t.qualityColumn, cell: tested('quality') },
          {
            name: t.error,
            end: true,
            cell: ({ verdict }) => (verdict?.errors == null ? '–' : formatShare(verdict.errors.rate)),
          },
        ]}
      />
      {listed.length < periods.length && (
        <p>
          <button type="button" class="button small" onClick={() => setWhole(true)}>
            {t.showAll(periods.length)}
          </button>
        </p>
      )}
      {listed.length === periods.length && more !== null && (
        <p>
          <button type="button" class="button small" onClick={more}>
            {t.earlier}
          </button>
        </p>
      )}
    </div>
  );
}
