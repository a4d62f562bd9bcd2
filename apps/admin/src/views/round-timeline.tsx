import type { Round } from '@coppice/protocol';
import { Waterfall } from '@coppice/ui';
import {
  formatMilliseconds,
  outcomeTones,
  outcomeWords,
  phaseWords,
  roundPhases,
  roundWords,
  shortId,
} from '../words.ts';
import { text } from './texts.ts';

/** How the last round went: its phases, and what became of each who was asked. */
export function RoundTimeline({ round }: { round: Round }) {
  const t = text();
  return (
    <section class="stack">
      <h2>
        {t.lastRound}: {round.round} <span class="small quiet">{roundWords()[round.outcome]}</span>
      </h2>
      <Waterfall
        label={`${t.round} ${round.round}`}
        columns={{ who: t.who, outcome: t.outcome, time: t.time }}
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
