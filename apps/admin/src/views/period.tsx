import {
  type Binning,
  BinningSchema,
  type Moment,
  type Policy,
  type Reference,
  ReferenceSchema,
} from '@coppice/continuity';
import type { DataSchema, DriftVerdict, Firing, WatchedPeriod, WatchInfo } from '@coppice/protocol';
import { formatDateTime, formatNumber, formatShare, PairedBars } from '@coppice/ui';
import { useMemo, useState } from 'preact/hooks';
import { atRelease } from '../monitoring/at-release.ts';
import { binLabels, groupLabel } from '../monitoring/bin-labels.ts';
import { writeRoute } from '../shell/route.ts';
import { binText, columnName, faultText, formatEffect, testName } from './drift-words.ts';
import { List } from './list.tsx';
import { monitoringText } from './monitoring-texts.ts';
import { pValueText } from './p-value.ts';
import { useReference } from './use-monitoring.ts';

type Shift = DriftVerdict['drift']['results'][number];

/** Distributions and tests that are listed at first. */
const FIRST = 10;

interface DetailProps {
  readonly period: WatchedPeriod;
  readonly data: DataSchema | null;
  readonly watch: WatchInfo | null;
  readonly policy: Policy | null;
  /** The firings that this period led to. */
  readonly firings: readonly Firing[];
}

/** One period: its drift, worst first, with distributions; data quality apart; errors; the updates that it led to. */
export function PeriodDetail(props: DetailProps) {
  const t = monitoringText();
  const { period, data, watch, policy, firings } = props;
  const { verdict } = period;
  return (
    <section class="card stack" aria-labelledby="period-title" data-testid="period">
      <div>
        <h3 id="period-title">{t.periodTitle(formatNumber(period.period))}</h3>
        <p class="small quiet">
          {[
            t.span(formatDateTime(period.startedAt), formatDateTime(period.endedAt)),
            ...(period.release === null ? [] : [t.ofRelease(formatNumber(period.release))]),
            ...(period.noise === 0 ? [] : [t.noised]),
          ].join(' · ')}
        </p>
      </div>
      {verdict === null ? (
        <p>{period.noise === 0 ? t.fewReports(period.reports) : t.fewOrSpent(period.reports)}</p>
      ) : (
        <>
          <p>{t.counts(verdict.participants, verdict.observations)}</p>
          <Verdict of={verdict.drift} yes={t.driftYes} no={t.driftNo} tone="warn" testId="drift-verdict" />
          <Verdict
            of={verdict.quality}
            yes={t.qualityYes}
            no={t.qualityNo}
            tone="bad"
            testId="quality-verdict"
          />
          <Meaning policy={policy} />
          <FollowUp alarm={verdict.drift.alarm} firings={firings} />
          <Distributions
            task={period.task}
            results={verdict.drift.results}
            period={period}
            data={data}
            watch={watch}
          />
          <Quality quality={verdict.quality} isPicture={data?.kind === 'image'} />
          <Errors errors={verdict.errors} />
          <GroupErrors groups={verdict.groups} data={data} />
        </>
      )}
    </section>
  );
}

function Verdict({
  of: { alarm, tested, suppressed, results },
  yes,
  no,
  tone,
  testId,
}: {
  of: {
    readonly alarm: boolean;
    readonly tested: number;
    readonly suppressed: number;
    readonly results: readonly { readonly alarm: boolean }[];
  };
  yes: (alarms: number, tested: number) => string;
  no: (tested: number) => string;
  tone: 'warn' | 'bad';
  testId: string;
}) {
  const alarms = results.filter((one) => one.alarm).length;
  return (
    <p class={`note ${alarm ? tone : 'good'}`} data-testid={testId}>
      <strong>{alarm ? yes(alarms, tested) : no(tested)}</strong>{' '}
      <span class="small">{monitoringText().suppressed(suppressed)}</span>
    </p>
  );
}

function Meaning({ policy }: { policy: Policy | null }) {
  const t = monitoringText();
  const raise = policy?.trigger?.drift?.raise;
  return (
    <details class="tiny" data-testid="meaning">
      <summary>{t.meaning}</summary>
      <div class="stack tight small">
        <p>{t.meaningDrift}</p>
        <p>{t.meaningEffect}</p>
        {policy !== null && <p>{t.meaningTests(policy.watch.every)}</p>}
        <p>{t.meaningQuality}</p>
        {policy !== null && <p>{raise === undefined ? t.doesNothing : t.doesTrigger(raise)}</p>}
      </div>
    </details>
  );
}

function FollowUp({ alarm, firings }: { alarm: boolean; firings: readonly Firing[] }) {
  const t = monitoringText();
  if (firings.length === 0) return alarm ? <p class="small quiet">{t.nothingLed}</p> : null;
  return (
    <ul class="plain-list" aria-label={t.led}>
      {firings.map(({ sequence, run }) => (
        <li key={sequence}>
          {t.ledTo(formatNumber(sequence))}
          {run !== null && (
            <>
              {' · '}
              <a class="mono" href={writeRoute({ view: 'run', run })}>
                {run}
              </a>
            </>
          )}
        </li>
      ))}
    </ul>
  );
}

interface Bins {
  readonly binning: Binning | null;
  /** Null: not known. */
  readonly reference: Reference | null;
}

/** The bins that a period's reports were made with, and their reference. */
function useBins(watch: WatchInfo | null, period: WatchedPeriod): Bins {
  const of = useReference(watch, period)?.binning;
  return useMemo(() => {
    const reference = ReferenceSchema.safeParse(of).data ?? null;
    return { binning: reference ?? BinningSchema.safeParse(of).data ?? null, reference };
  }, [of]);
}

function Distributions({
  results,
  watch,
  ...shared
}: {
  task: string;
  results: readonly Shift[];
  period: WatchedPeriod;
  data: DataSchema | null;
  watch: WatchInfo | null;
}) {
  const t = monitoringText();
  const [whole, setWhole] = useState(false);
  const bins = useBins(watch, shared.period);
  if (results.length === 0) return null;
  return (
    <div class="stack tight">
      <h4>{t.distributions}</h4>
      {results.slice(0, whole ? results.length : FIRST).map((result, i) => (
        <Distribution
          key={`${result.role} ${result.name}`}
          result={result}
          isOpen={i === 0}
          bins={bins}
          {...shared}
        />
      ))}
      {!whole && results.length > FIRST && (
        <p>
          <button type="button" class="button small" onClick={() => setWhole(true)}>
            {t.showAll(results.length)}
          </button>
        </p>
      )}
    </div>
  );
}

/** A distribution beside that of the reference; drawn only while it is open, since there can be hundreds. */
function Distribution({
  task,
  result,
  isOpen,
  period,
  data,
  bins: { binning, reference },
}: {
  task: string;
  result: Shift;
  isOpen: boolean;
  period: WatchedPeriod;
  data: DataSchema | null;
  bins: Bins;
}) {
  const t = monitoringText();
  const [open, setOpen] = useState(isOpen);
  const name = columnName(testName(result), data?.kind === 'image' && result.role === 'input');
  const labels = open ? binLabels(result, data, binning) : [];
  const then = atRelease(result, reference);
  const facts: readonly (readonly [string, string])[] = [
    ...(then.moment === null ? [] : [[t.released, momentText(then.moment)] as const]),
    ...(then.labels === null || then.labels.moment === null
      ? []
      : [[t.labelsReleased, momentText(then.labels.moment)] as const]),
    [t.effect, formatEffect(result.effect)],
    [t.interval, t.between(formatEffect(result.interval[0]), formatEffect(result.interval[1]))],
    [t.threshold, formatEffect(result.bound)],
    [t.adjusted, pValueText(result.adjusted)],
    ...(result.distance === null ? [] : [[t.distance, formatShare(result.distance)] as const]),
    [t.devices, formatNumber(result.participants)],
    ...(result.effective === null
      ? []
      : [[t.effective, formatNumber(result.effective, { maximumFractionDigits: 0 })] as const]),
  ];
  return (
    <details
      class="distribution"
      open={open}
      onToggle={(event) => setOpen(event.currentTarget.open)}
      data-testid="distribution"
    >
      <summary>
        <span class="anywhere">{name}</span>
        <span class="figure small">{formatEffect(result.effect)}</span>
        {result.alarm && <span class="badge warn">{t.alarm}</span>}
      </summary>
      {open && (
        <div class="distribution-body">
          <PairedBars
            name={`${task}-${period.period}-${result.name || result.role}`}
            title={name}
            xName={t.values}
            groups={labels.map(binText)}
            series={[
              { label: t.atReference, values: result.reference },
              { label: t.now, values: result.current },
            ]}
            format={(share) => formatShare(share)}
            empty={t.none}
          />
          <dl class="facts">
            {facts.map(([term, value]) => (
              <div key={term}>
                <dt>{term}</dt>
                <dd>{value}</dd>
              </div>
            ))}
          </dl>
          {then.labels !== null && (
            <PairedBars
              name={`${task}-${period.period}-labels`}
              title={t.predictionsAndLabels}
              xName={t.values}
              groups={labels.map(binText)}
              series={[
                { label: t.labels, values: then.labels.shares },
                { label: t.predictions, values: result.reference },
              ]}
              format={(share) => formatShare(share)}
              empty={t.none}
              isChange={false}
              testId="labels-at-release"
            />
          )}
          {labels[0]?.kind === 'bin' && <p class="small quiet">{t.noBins}</p>}
        </div>
      )}
    </details>
  );
}

function momentText({ mean, deviation }: Moment): string {
  const number = (value: number) => formatNumber(value, { maximumSignificantDigits: 3 });
  return monitoringText().moment(number(mean), number(deviation));
}

function Quality({ quality, isPicture }: { quality: DriftVerdict['quality']; isPicture: boolean }) {
  const t = monitoringText();
  const [whole, setWhole] = useState(false);
  const { results } = quality;
  if (results.length === 0) return null;
  return (
    <div class="stack tight" data-testid="quality">
      <h4>{t.quality}</h4>
      <List
        label={t.quality}
        rows={results.slice(0, whole ? results.length : FIRST)}
        keyOf={({ name, fault }) => `${fault} ${name}`}
        columns={[
          { name: t.column, heading: true, cell: ({ name }) => columnName(name, isPicture) },
          { name: t.fault, cell: ({ fault }) => faultText(fault) },
          { name: t.before, end: true, cell: ({ reference }) => formatShare(reference) },
          { name: t.now, end: true, cell: ({ current }) => formatShare(current) },
          { name: t.effect, end: true, cell: ({ effect }) => formatEffect(effect) },
          { name: t.threshold, end: true, cell: ({ bound }) => formatEffect(bound) },
          {
            name: t.verdict,
            cell: ({ alarm }) => (alarm ? <span class="badge bad">{t.alarm}</span> : t.fine),
          },
        ]}
      />
      {!whole && results.length > FIRST && (
        <p>
          <button type="button" class="button small" onClick={() => setWhole(true)}>
            {t.showAll(results.length)}
          </button>
        </p>
      )}
    </div>
  );
}

function Errors({ errors }: { errors: DriftVerdict['errors'] }) {
  const t = monitoringText();
  return (
    <div class="stack tight">
      <h4>{t.errors}</h4>
      {errors === null ? (
        <p class="quiet">{t.noErrors}</p>
      ) : (
        <p>
          {t.errorsText(
            formatShare(errors.rate),
            formatShare(errors.interval[0]),
            formatShare(errors.interval[1]),
            errors.participants,
          )}
          {t.space}
          {errors.warned > 0 && t.warned(formatShare(errors.warned, 0))}
        </p>
      )}
    </div>
  );
}

/** The errors of each group with enough devices, the worst first. Nothing where the task declares no groups. */
function GroupErrors({ groups, data }: { groups: DriftVerdict['groups']; data: DataSchema | null }) {
  const t = monitoringText();
  if (groups === undefined) return null;
  const title = t.groupErrors(data?.kind === 'table' ? (data.groups ?? '') : '');
  return (
    <div class="stack tight" data-testid="group-errors">
      <h4>{title}</h4>
      {groups.length === 0 ? (
        <p class="quiet">{t.noGroupErrors}</p>
      ) : (
        <List
          label={title}
          rows={groups}
          keyOf={({ value }) => `${value}`}
          columns={[
            { name: t.group, heading: true, cell: ({ value }) => binText(groupLabel(value, data)) },
            { name: t.meanError, end: true, cell: ({ rate }) => formatShare(rate) },
            {
              name: t.interval,
              end: true,
              cell: ({ interval: [low, high] }) => t.between(formatShare(low), formatShare(high)),
            },
            { name: t.devices, end: true, cell: ({ participants }) => formatNumber(participants) },
          ]}
        />
      )}
    </div>
  );
}
