import type { Phase, Run } from '@coppice/protocol';
import { catalogue } from '@coppice/ui';
import { phaseWords, roundPhases } from '../words.ts';

const text = catalogue({ label: 'Phases of a round' }, { label: '一轮的各个阶段' });

const steps: readonly Phase[] = ['waiting', ...roundPhases];

/** Phases of a run's round in order, the current one marked. */
export function PhaseStrip({ run }: { run: Run }) {
  const isAgreeing = run.phase === 'scaling';
  const shown: readonly Phase[] = isAgreeing ? ['waiting', 'scaling', ...roundPhases] : steps;
  const at = run.status === 'running' || run.phase !== 'idle' ? shown.indexOf(run.phase) : -1;
  return (
    <ol class="phase-strip" aria-label={text().label}>
      {shown.map((phase, index) => (
        <li
          key={phase}
          class={index < at ? 'passed' : index === at ? 'now' : ''}
          aria-current={index === at ? 'step' : undefined}
        >
          {phaseWords()[phase]}
        </li>
      ))}
    </ol>
  );
}
