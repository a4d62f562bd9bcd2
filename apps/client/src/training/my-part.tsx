import type { Outcome, WireError } from '@coppice/protocol';
import { catalogue, formatNumber } from '@coppice/ui';
import { errorText } from '../errors/error-texts.ts';
import { session } from '../link/session.ts';

const n = (value: number) => formatNumber(value);
const text = catalogue(
  {
    title: 'Your part',
    accepted: (count: number): string => (count === 1 ? 'update accepted' : 'updates accepted'),
    none: 'No round has ended since you joined.',
    round: (round: number) => `Round ${n(round)}`,
    outcomeAccepted: 'accepted',
    outcomeLate: 'too late',
    outcomeDeclined: 'declined',
    outcomeAway: 'away',
    outcomeLeft: 'left',
    outcomeRefused: 'refused',
    outcomeAsked: 'no answer',
    outcomeNone: 'not asked',
    abandoned: 'round abandoned',
  },
  {
    title: '你的参与',
    accepted: () => '份更新被接受',
    none: '自你加入以来还没有结束的轮次。',
    round: (round) => `第 ${n(round)} 轮`,
    outcomeAccepted: '已接受',
    outcomeLate: '太迟',
    outcomeDeclined: '已谢绝',
    outcomeAway: '离线',
    outcomeLeft: '已退出',
    outcomeRefused: '被拒绝',
    outcomeAsked: '未回应',
    outcomeNone: '未被邀请',
    abandoned: '本轮已放弃',
  },
);

function outcomeWord(outcome: Outcome | null): string {
  const t = text();
  if (outcome === null) return t.outcomeNone;
  const words: Record<Outcome, string> = {
    accepted: t.outcomeAccepted,
    late: t.outcomeLate,
    declined: t.outcomeDeclined,
    away: t.outcomeAway,
    left: t.outcomeLeft,
    refused: t.outcomeRefused,
    asked: t.outcomeAsked,
  };
  return words[outcome];
}

/** The most rounds listed, newest first. */
const SHOWN = 6;

export function MyPart() {
  const t = text();
  const outcomes = session.outcomes.value.slice(-SHOWN).reverse();
  return (
    <div class="my-part stack tight">
      <h3 class="eyebrow">{t.title}</h3>
      <p>
        <strong class="number" data-testid="accepted">
          {n(session.accepted.value)}
        </strong>{' '}
        {t.accepted(session.accepted.value)}
      </p>
      {outcomes.length === 0 ? (
        <p class="small quiet">{t.none}</p>
      ) : (
        <ul class="outcomes">
          {outcomes.map(({ round, outcome, reason }) => (
            <li key={round} class={outcome === 'accepted' && reason === null ? 'good' : ''}>
              <span>{t.round(round)}</span>
              <span>{outcomeWord(outcome)}</span>
              {reason !== null && <Reason reason={reason} />}
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

function Reason({ reason }: { reason: WireError }) {
  return (
    <span class="quiet">
      {text().abandoned}: {errorText(reason.code).happened}
    </span>
  );
}
