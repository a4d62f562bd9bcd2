import type { GateReason } from '@coppice/continuity';
import { classesOf, type DataSchema, type Firing } from '@coppice/protocol';
import { formatNumber, formatShare } from '@coppice/ui';
import { groupLabel } from '../monitoring/bin-labels.ts';
import { fewerOf, gateReasonsOf, guardsOf, isHeldByQuality } from '../monitoring/reasons.ts';
import { binText } from './drift-words.ts';
import { List } from './list.tsx';
import { pEquation } from './p-value.ts';
import { firingText } from './retraining-texts.ts';

const outcomeTones = { passed: 'good', failed: 'bad', unknown: '' } as const;
const guardTones = { worse: 'bad', better: 'good', 'no-worse': 'good', undecided: '' } as const;

/** The comparison of a candidate with production, check by check. `data`: null where the task is not known. */
export function ComparisonEvidence({
  of,
  comparison: { participants, candidate, reasons },
  data,
}: {
  /** The name of its firing, so that each table has a name of its own. */
  of: string;
  comparison: NonNullable<Firing['comparison']>;
  data: DataSchema | null;
}) {
  const t = firingText();
  const checks = gateReasonsOf(reasons);
  return (
    <div class="stack tight" data-testid="comparison">
      <h4>{t.comparison}</h4>
      <p class="small">{checks.length === 0 ? t.comparing : t.comparisonText(participants, candidate)}</p>
      <List
        label={t.tableOf(of, t.comparison)}
        rows={checks}
        keyOf={({ check, index }) => `${check} ${index ?? ''}`}
        columns={[
          { name: t.check, heading: true, class: 'said', cell: (one) => checkText(one, data) },
          {
            name: t.result,
            cell: ({ outcome }) => <span class={`badge ${outcomeTones[outcome]}`}>{t[outcome]}</span>,
          },
          { name: t.difference, end: true, cell: ({ difference }) => points(difference) },
          { name: t.decides, end: true, cell: decidingText },
          { name: t.required, end: true, cell: requiredText },
        ]}
      />
    </div>
  );
}

function checkText({ check, index }: GateReason, data: DataSchema | null): string {
  const t = firingText();
  switch (check) {
    case 'class': {
      const classes = data === null ? null : classesOf(data);
      return t.class(classes?.[index ?? -1] ?? formatNumber((index ?? 0) + 1));
    }
    case 'group':
      return t.group(binText(groupLabel(index ?? 0, data)));
    case 'worst-tenth':
      return t.worst;
    default:
      return t[check];
  }
}

/** The end of the interval that decides, or the p-value; for the worst tenth the difference itself. */
function decidingText({ check, value }: GateReason): string {
  const t = firingText();
  if (value === null) return '–';
  if (check === 'discordant') return pEquation(value);
  if (check === 'worst-tenth') return points(value);
  return check === 'class' || check === 'group' ? t.atMost(points(value)) : t.atLeast(points(value));
}

function requiredText({ check, bound }: GateReason): string {
  const t = firingText();
  if (check === 'discordant') return t.pAtMost(formatNumber(bound, { maximumSignificantDigits: 2 }));
  return check === 'recent' || check === 'older' ? t.above(points(bound)) : t.notBelow(points(bound));
}

/** A difference of shares, with its sign. */
function points(difference: number | null): string {
  if (difference === null) return '–';
  return formatNumber(difference, {
    style: 'percent',
    minimumFractionDigits: 1,
    maximumFractionDigits: 1,
    signDisplay: 'exceptZero',
  });
}

function fewerBound(bound: number): string {
  return firingText().pAtLeast(formatNumber(bound, { maximumSignificantDigits: 2 }));
}

/** The looks at a canary and its control group. */
export function CanaryEvidence({
  of,
  canary: { looks, participants, decision, reasons },
}: {
  of: string;
  canary: NonNullable<Firing['canary']>;
}) {
  const t = firingText();
  const fewer = fewerOf(reasons);
  return (
    <div class="stack tight" data-testid="canary">
      <h4>{t.canary}</h4>
      <p class="small">
        {t.canaryText(participants.canary, participants.control)}
        {t.space}
        {looks.length > 0 && t.looks(looks.map((share) => formatShare(share, 0)).join(t.comma))}
      </p>
      {isHeldByQuality(reasons) && <p class="note warn">{t.held}</p>}
      {fewer !== null && (
        <p class="note warn" data-testid="fewer">
          {t.fewer(fewer.canary, fewer.control, pEquation(fewer.p), fewerBound(fewer.bound))}{' '}
          {decision === null && t.fewerHeld}
        </p>
      )}
      <List
        label={t.tableOf(of, t.canary)}
        rows={guardsOf(reasons)}
        keyOf={({ guard }) => guard}
        columns={[
          {
            name: t.metric,
            heading: true,
            cell: ({ guard }) => (guard === 'error' ? t.error : guard),
          },
          {
            name: t.result,
            cell: ({ outcome }) => <span class={`badge ${guardTones[outcome]}`}>{t[outcome]}</span>,
          },
          { name: t.difference, end: true, cell: ({ difference }) => points(difference) },
          { name: t.z, end: true, cell: ({ z }) => formatNumber(z, { maximumFractionDigits: 2 }) },
          {
            name: t.bound,
            end: true,
            cell: ({ bound }) => formatNumber(bound, { maximumFractionDigits: 2 }),
          },
        ]}
      />
    </div>
  );
}
