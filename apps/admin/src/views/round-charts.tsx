import type { Metrics, Phase, Round } from '@coppice/protocol';
import { formatBytes, formatNumber, formatShare, LineChart, StackedBars } from '@coppice/ui';
import { useMemo } from 'preact/hooks';
import { lossScale, smoothing } from '../shell/settings.ts';
import { formatLoss, formatMilliseconds, phaseWords, roundPhases } from '../words.ts';
import { text } from './texts.ts';

const STRENGTHS = [0, 0.3, 0.6, 0.9];

/** Loss, accuracy, cohort, time and traffic, round by round. */
export function RoundCharts({ rounds }: { rounds: readonly Round[] }) {
  const t = text();
  const done = useMemo(() => rounds.filter(({ outcome }) => outcome === 'committed'), [rounds]);
  const series = (read: (round: Round) => number | null | undefined) =>
    done.map((round) => ({ x: round.round, y: read(round) ?? null }));
  const of = (which: 'central' | 'federated', what: keyof Metrics) => series((round) => round[which]?.[what]);
  return (
    <section class="stack">
      <div class="field smoothing">
        <label for="smoothing">{t.smoothing}</label>
        <select
          id="smoothing"
          class="input"
          value={smoothing.value}
          onChange={(event) => {
            smoothing.value = Number(event.currentTarget.value);
          }}
        >
          {STRENGTHS.map((strength) => (
            <option key={strength} value={strength}>
              {formatNumber(strength)}
            </option>
          ))}
        </select>
      </div>
      <div class="charts">
        <LineChart
          name="accuracy"
          title={t.accuracy}
          xName={t.round}
          testId="accuracy-chart"
          lines={[
            { id: 'central', label: t.central, points: of('central', 'accuracy'), slot: 0 },
            { id: 'federated', label: t.federated, points: of('federated', 'accuracy'), slot: 1 },
          ]}
          format={(value) => formatShare(value)}
          better="high"
          bounds={[0, 1]}
          smoothing={smoothing.value}
          empty={t.empty}
          syncKey="rounds"
        />
        <LineChart
          name="loss"
          title={t.loss}
          xName={t.round}
          testId="loss-chart"
          lines={[
            { id: 'central', label: t.central, points: of('central', 'loss'), slot: 0 },
            { id: 'federated', label: t.federated, points: of('federated', 'loss'), slot: 1 },
            { id: 'training', label: t.trainingLoss, points: series((round) => round.trainingLoss), slot: 2 },
          ]}
          format={formatLoss}
          better="low"
          smoothing={smoothing.value}
          scale={lossScale.value}
          onScale={(scale) => {
            lossScale.value = scale;
          }}
          empty={t.empty}
          syncKey="rounds"
        />
        <StackedBars
          name="cohort"
          title={t.cohort}
          xName={t.round}
          segments={[
            { id: 'accepted', label: t.accepted, slot: 0 },
            { id: 'refused', label: t.refused, slot: 1 },
            { id: 'others', label: `${t.asked} −`, slot: 2 },
          ]}
          bars={done.map(({ round, asked, accepted, refused }) => ({
            x: round,
            values: [accepted, refused, Math.max(0, asked - accepted - refused)],
          }))}
          format={(value) => formatNumber(value)}
          empty={t.empty}
        />
        <StackedBars
          name="phases"
          title={t.phases}
          xName={t.round}
          segments={roundPhases.map((phase, slot) => ({ id: phase, label: phaseWords()[phase], slot }))}
          bars={done.map(({ round, phases }) => ({
            x: round,
            values: roundPhases.map((phase: Phase) => phases[phase] ?? 0),
          }))}
          format={formatMilliseconds}
          empty={t.empty}
        />
        <StackedBars
          name="traffic"
          title={t.traffic}
          xName={t.round}
          segments={[
            { id: 'up', label: t.up, slot: 0 },
            { id: 'down', label: t.down, slot: 1 },
          ]}
          bars={done.map(({ round, bytesUp, bytesDown }) => ({ x: round, values: [bytesUp, bytesDown] }))}
          format={formatBytes}
          empty={t.empty}
        />
      </div>
    </section>
  );
}
