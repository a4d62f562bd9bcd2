import type { Policy } from '@coppice/continuity';
import { type DataSchema, type Firing, partsOfCheckpointId, type WatchInfo } from '@coppice/protocol';
import { Confirm, formatBytes, formatDateTime, formatNumber, formatShare } from '@coppice/ui';
import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { fire } from '../live/continuity-api.ts';
import { coordinatorNow, may } from '../live/live.ts';
import { budgetLines, type CostName, coolDownUntil, currentPeriod } from '../monitoring/budget.ts';
import { type CauseReason, causesOf } from '../monitoring/reasons.ts';
import { writeRoute } from '../shell/route.ts';
import { CanaryEvidence, ComparisonEvidence } from './firing-evidence.tsx';
import { firingOutcomeHelp, firingOutcomeWords, firingStateWords, firingText } from './retraining-texts.ts';
import type { LiveFirings } from './use-monitoring.ts';

interface FiringsProps {
  readonly task: string;
  readonly data: DataSchema | null;
  readonly live: LiveFirings;
  readonly watch: WatchInfo | null;
  readonly policy: Policy | null;
  /** The newest period that is over; null: none is. */
  readonly period: number | null;
}

/** The firings of a task's trigger, with their evidence, and the way to start one by hand. */
export function FiringsSection({ task, data, live, watch, policy, period }: FiringsProps) {
  const t = firingText();
  const { firings, more } = live;
  return (
    <section class="stack" aria-labelledby="firings-title" data-testid="firings">
      <h2 id="firings-title">{t.title}</h2>
      <p class="small quiet wide-text">{t.intro}</p>
      {may('releases:write') && firings !== null && (
        <Start task={task} live={live} watch={watch} policy={policy} />
      )}
      {policy !== null && firings !== null && (
        <Limits
          trigger={policy.trigger}
          firings={firings}
          period={currentPeriod(firings, period, {
            now: coordinatorNow(),
            length: policy.periodMilliseconds,
          })}
        />
      )}
      {firings?.length === 0 && <p class="quiet">{t.none}</p>}
      <ul class="firings">
        {firings?.map((firing) => (
          <FiringCard key={firing.sequence} firing={firing} data={data} />
        ))}
      </ul>
      {more !== null && (
        <p>
          <button type="button" class="button small" onClick={more}>
            {t.earlier}
          </button>
        </p>
      )}
    </section>
  );
}

function Start({
  task,
  live,
  watch,
  policy,
}: {
  task: string;
  live: LiveFirings;
  watch: WatchInfo | null;
  policy: Policy | null;
}) {
  const t = firingText();
  const [asking, setAsking] = useState(false);
  const isRunning = live.firings?.some(({ state }) => state !== 'ended') === true;
  const release = watch?.release ?? null;
  const hindrance =
    policy === null ? t.needsPolicy : isRunning ? t.inProgress : release === null ? t.needsRelease : null;
  return (
    <div class="row">
      <button
        type="button"
        class="button"
        data-testid="fire"
        disabled={hindrance !== null}
        aria-describedby={hindrance === null ? undefined : 'fire-hindrance'}
        onClick={() => setAsking(true)}
      >
        {t.start}
      </button>
      {hindrance !== null && (
        <span class="small quiet" id="fire-hindrance">
          {hindrance}
        </span>
      )}
      <Confirm
        open={asking}
        title={t.startTitle}
        action={t.start}
        onConfirm={() => {
          setAsking(false);
          live.reload(() => fire(task));
        }}
        onCancel={() => setAsking(false)}
      >
        <p>{t.startText(release?.checkpoint ?? '')}</p>
        <p>{policy?.gate == null ? t.withoutGate : t.withGate}</p>
        <p>{policy?.canary == null ? t.withoutCanary : t.withCanary(formatShare(policy.canary.share, 0))}</p>
      </Confirm>
    </div>
  );
}

/** The cool-down and the budget, as far as they hold now. */
function Limits({
  trigger,
  firings,
  period,
}: {
  trigger: Policy['trigger'];
  firings: readonly Firing[];
  period: number | null;
}) {
  const t = firingText();
  if (trigger === null) return <p class="small">{t.noTrigger}</p>;
  const until = coolDownUntil(trigger, firings, period);
  const lines = budgetLines(trigger, firings, period);
  const names: Record<CostName, string> = {
    rounds: t.roundsName,
    bytes: t.bytesName,
    deviceSeconds: t.deviceSecondsName,
    epsilon: t.epsilonName,
  };
  return (
    <dl class="facts limits" data-testid="limits">
      <Fact term={t.coolDown}>{until === null ? t.noCoolDown : t.coolDownUntil(formatNumber(until))}</Fact>
      {lines.length === 0 && <Fact term={t.budget(trigger.budget.periods)}>{t.noBudget}</Fact>}
      {lines.map(({ name, spent, limit }) => (
        <Fact key={name} term={`${t.budget(trigger.budget.periods)} · ${names[name]}`}>
          {t.of(costText(name, spent), costText(name, limit))}
        </Fact>
      ))}
    </dl>
  );
}

function costText(name: CostName, value: number): string {
  if (name === 'bytes') return formatBytes(value);
  if (name === 'deviceSeconds') return deviceTime(value);
  return formatNumber(value, { maximumSignificantDigits: 6 });
}

/** Computing time in one unit, without parts that are 0. */
function deviceTime(seconds: number): string {
  const [value, unit] =
    seconds < 3600 ? ([seconds / 60, 'minute'] as const) : ([seconds / 3600, 'hour'] as const);
  return formatNumber(value, { style: 'unit', unit, unitDisplay: 'short', maximumFractionDigits: 1 });
}

function Fact({ term, children }: { term: string; children: ComponentChildren }) {
  return (
    <div>
      <dt>{term}</dt>
      <dd>{children}</dd>
    </div>
  );
}

const tones = {
  released: 'good',
  refused: '',
  'rolled-back': 'warn',
  'budget-spent': 'warn',
  'run-paused': 'warn',
  'run-stalled': 'warn',
  'run-ended': 'warn',
  overtaken: '',
} as const;

function FiringCard({ firing, data }: { firing: Firing; data: DataSchema | null }) {
  const t = firingText();
  const { sequence, state, outcome, run, candidate, production, comparison, canary, release } = firing;
  const name = t.number(formatNumber(sequence));
  return (
    <li class="card stack tight" data-testid={`firing-${sequence}`}>
      <div class="row between">
        <h3>{name}</h3>
        <span
          class={`badge ${outcome === null ? '' : tones[outcome]}`}
          data-testid={`firing-state-${sequence}`}
        >
          {outcome === null ? firingStateWords()[state] : firingOutcomeWords()[outcome]}
        </span>
      </div>
      <p>
        <strong>{causesText(firing)}</strong>
        {outcome !== null && <span class="block small">{firingOutcomeHelp()[outcome]}</span>}
      </p>
      <dl class="facts">
        <Fact term={t.started}>{formatDateTime(firing.at)}</Fact>
        {firing.endedAt !== null && <Fact term={t.ended}>{formatDateTime(firing.endedAt)}</Fact>}
        {firing.period !== null && (
          <Fact term={t.period}>
            <a href={writeRoute({ view: 'monitoring', task: firing.task, period: firing.period })}>
              {formatNumber(firing.period)}
            </a>
          </Fact>
        )}
        <Fact term={t.from}>
          <Checkpoint id={production} />
        </Fact>
        {run !== null && (
          <Fact term={t.run}>
            <a class="mono" href={writeRoute({ view: 'run', run })}>
              {run}
            </a>
          </Fact>
        )}
        {candidate !== null && (
          <Fact term={t.candidate}>
            <Checkpoint id={candidate} />
          </Fact>
        )}
        {release !== null && <Fact term={t.release}>{formatNumber(release)}</Fact>}
        <Fact term={t.policy}>{formatNumber(firing.policy)}</Fact>
        <Spent spent={firing.spent} />
      </dl>
      {comparison !== null && data !== null && (
        <ComparisonEvidence of={name} comparison={comparison} data={data} />
      )}
      {canary !== null && <CanaryEvidence of={name} canary={canary} />}
    </li>
  );
}

function Checkpoint({ id }: { id: string }) {
  return (
    <a class="mono" href={writeRoute({ view: 'run', run: partsOfCheckpointId(id).run })}>
      {id}
    </a>
  );
}

function Spent({ spent: { rounds, bytes, deviceSeconds, epsilon } }: Pick<Firing, 'spent'>) {
  const t = firingText();
  const parts = [
    ...(rounds === null ? [] : [t.rounds(formatNumber(rounds))]),
    ...(bytes === null ? [] : [formatBytes(bytes)]),
    ...(deviceSeconds === null ? [] : [t.deviceTime(deviceTime(deviceSeconds))]),
    ...(epsilon === null ? [] : [t.epsilon(formatNumber(epsilon, { maximumSignificantDigits: 3 }))]),
  ];
  return parts.length === 0 ? null : <Fact term={t.cost}>{parts.join(' · ')}</Fact>;
}

function causesText({ causes }: Pick<Firing, 'causes'>): string {
  const t = firingText();
  const said = causesOf(causes).map(causeText);
  return said.length === 0 ? t.unknownCause : said.join(t.join);
}

function causeText(one: CauseReason): string {
  const t = firingText();
  switch (one.cause) {
    case 'drift':
      return t.drift(one.periods);
    case 'schedule':
      return t.schedule(formatDateTime(one.due));
    case 'new-examples':
      return t.examples(one.examples);
    case 'floor':
      return t.floor(formatShare(one.error));
    case 'by-hand':
      return t.byHand;
  }
}
