import type { Quartiles, Round } from '@coppice/protocol';
import { catalogue, formatBytes, formatNumber, formatShare, formatTime, Waterfall } from '@coppice/ui';
import { useState } from 'preact/hooks';
import {
  formatLoss,
  formatMilliseconds,
  outcomeTones,
  outcomeWords,
  phaseWords,
  roundPhases,
  roundWords,
  shortId,
} from '../words.ts';
import { failureText } from './failure-text.ts';
import { indicesToOffer } from './rounds-to-offer.ts';
import { text as shared } from './texts.ts';

const text = catalogue(
  {
    title: 'Round by round',
    which: 'Round',
    newest: 'Newest',
    earlier: 'Earlier round',
    later: 'Later round',
    attempt: (n: string) => `attempt ${n}`,
    took: (time: string) => `took ${time}`,
    began: (time: string) => `began ${time}`,
    returned: (accepted: string, asked: string) => `${accepted} of ${asked} returned`,
    refused: (n: string) => `${n} refused`,
    examples: (n: string) => `${n} examples`,
    half: (what: string, median: string, lower: string, upper: string) =>
      `${what} of participants: median ${median}, middle half ${lower} to ${upper}`,
    waterfall: 'Phases, and when each participant answered',
  },
  {
    title: '逐轮查看',
    which: '轮次',
    newest: '最新',
    earlier: '上一轮',
    later: '下一轮',
    attempt: (n) => `第 ${n} 次尝试`,
    took: (time) => `用时 ${time}`,
    began: (time) => `${time} 开始`,
    returned: (accepted, asked) => `邀请 ${asked}，交回 ${accepted}`,
    refused: (n) => `拒绝 ${n}`,
    examples: (n) => `${n} 个样本`,
    half: (what, median, lower, upper) =>
      `各参与者的${what}：中位数 ${median}，中间一半在 ${lower} 至 ${upper}`,
    waterfall: '各阶段，以及每位参与者的答复时间',
  },
);

/** One round in full: its outcome, its phases, and the outcome of each cohort member. Follows the newest round. */
export function Rounds({ rounds }: { rounds: readonly Round[] }) {
  const t = text();
  const [chosen, setChosen] = useState<string | null>(null);
  const keys = rounds.map(({ round, attempt }) => `${round}.${attempt}`);
  const at = chosen === null || !keys.includes(chosen) ? rounds.length - 1 : keys.indexOf(chosen);
  const round = rounds[at];
  if (round === undefined) return null;
  const choose = (index: number) => setChosen(index >= rounds.length - 1 ? null : (keys[index] ?? null));
  return (
    <section class="stack">
      <div class="row between">
        <h2>{t.title}</h2>
        <div class="row tight-row">
          <button
            type="button"
            class="button small"
            aria-label={t.earlier}
            disabled={at === 0}
            onClick={() => choose(at - 1)}
          >
            ←
          </button>
          <select
            class="input narrow"
            aria-label={t.which}
            data-testid="round-choice"
            value={chosen ?? 'newest'}
            onChange={({ currentTarget: { value } }) => setChosen(value === 'newest' ? null : value)}
          >
            <option value="newest">{t.newest}</option>
            {indicesToOffer(rounds.length, at).map((index) => (
              <option key={keys[index]} value={keys[index]}>
                {nameOf(rounds[index] as Round)}
              </option>
            ))}
          </select>
          <button
            type="button"
            class="button small"
            aria-label={t.later}
            disabled={at >= rounds.length - 1}
            onClick={() => choose(at + 1)}
          >
            →
          </button>
        </div>
      </div>
      <p class="figure quiet wide-text">{factsOf(round).join(' · ')}</p>
      {round.reason !== null && (
        <p class="note warn">
          {failureText(round.reason)} <code>{round.reason.code}</code>
        </p>
      )}
      <Waterfall
        label={t.waterfall}
        columns={{ who: shared().who, outcome: shared().outcome, time: shared().time }}
        phases={roundPhases.map((phase, slot) => ({
          id: phase,
          label: phaseWords()[phase],
          milliseconds: round.phases[phase] ?? 0,
          slot,
        }))}
        rows={round.cohort.map(({ participant, outcome, milliseconds }) => ({
          id: participant,
          label: shortId(participant),
          outcome: outcomeWords()[outcome],
          tone: outcomeTones[outcome],
          milliseconds,
        }))}
        format={formatMilliseconds}
        testId="round-timeline"
      />
    </section>
  );
}

function nameOf(round: Round): string {
  const t = text();
  const attempt = round.attempt > 1 ? ` (${t.attempt(formatNumber(round.attempt))})` : '';
  return `${formatNumber(round.round)}${attempt}`;
}

/** "Round 7 · committed · 4 of 5 returned · 2.3 MB · …" */
function factsOf(round: Round): string[] {
  const t = text();
  const { central, endedAt, spread } = round;
  const halfOf = (
    what: string,
    quartiles: Quartiles | null | undefined,
    format: (value: number) => string,
  ) =>
    quartiles == null
      ? null
      : t.half(what, format(quartiles.median), format(quartiles.lower), format(quartiles.upper));
  return [
    shared().roundAt(nameOf(round)),
    roundWords()[round.outcome],
    t.returned(formatNumber(round.accepted), formatNumber(round.asked)),
    round.refused > 0 ? t.refused(formatNumber(round.refused)) : null,
    round.examples > 0 ? t.examples(formatNumber(round.examples)) : null,
    formatBytes(round.bytesUp + round.bytesDown),
    central?.accuracy == null ? null : `${shared().accuracy} ${formatShare(central.accuracy)}`,
    central?.loss == null ? null : `${shared().loss} ${formatLoss(central.loss)}`,
    halfOf(shared().accuracy, spread?.accuracy, (value) => formatShare(value)),
    halfOf(shared().loss, spread?.loss, formatLoss),
    t.began(formatTime(round.startedAt)),
    endedAt === null ? null : t.took(formatMilliseconds(endedAt - round.startedAt)),
  ].filter((fact) => fact !== null);
}
