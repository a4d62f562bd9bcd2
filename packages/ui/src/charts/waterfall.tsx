import './charts.css';
import { slotColour } from './palette.ts';

export interface WaterfallRow {
  readonly id: string;
  readonly label: string;
  readonly outcome: string;
  /** Decides colour and pattern; the outcome is also shown in words. */
  readonly tone: 'good' | 'open' | 'bad' | 'quiet';
  /** From the beginning of the round to the outcome; null while it is open. */
  readonly milliseconds: number | null;
}

export interface WaterfallProps {
  readonly label: string;
  readonly columns: { readonly who: string; readonly outcome: string; readonly time: string };
  /** The round's phases in order. */
  readonly phases: readonly {
    readonly id: string;
    readonly label: string;
    readonly milliseconds: number;
    readonly slot: number;
  }[];
  readonly rows: readonly WaterfallRow[];
  readonly format: (milliseconds: number) => string;
  readonly testId?: string;
}

/** One round: the length of each phase, and the time of each cohort member's answer. It is a table already. */
export function Waterfall({ label, columns, phases, rows, format, testId }: WaterfallProps) {
  const inPhases = phases.reduce((sum, phase) => sum + phase.milliseconds, 0);
  const span = Math.max(1, inPhases, ...rows.map((row) => row.milliseconds ?? 0));
  const share = (milliseconds: number) => `${(100 * milliseconds) / span}%`;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard
    <section class="waterfall" aria-label={label} tabIndex={0} data-testid={testId}>
      <div class="phases" aria-hidden="true">
        {phases
          .filter((phase) => phase.milliseconds > 0)
          .map((phase) => (
            <span
              key={phase.id}
              style={{ width: share(phase.milliseconds), background: slotColour(phase.slot) }}
              title={`${phase.label}: ${format(phase.milliseconds)}`}
            />
          ))}
      </div>
      <ul class="chart-legend">
        {phases.map((phase) => (
          <li key={phase.id} class="chart-key">
            <span class="chart-block" style={{ background: slotColour(phase.slot) }} />
            <span class="chart-key-label">{phase.label}</span>
            <span class="chart-key-value">{format(phase.milliseconds)}</span>
          </li>
        ))}
      </ul>
      {rows.length > 0 && (
        <table>
          <thead>
            <tr>
              <th scope="col">{columns.who}</th>
              <th scope="col">{columns.outcome}</th>
              <th scope="col" class="number">
                {columns.time}
              </th>
              <td />
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <tr key={row.id}>
                <th scope="row">{row.label}</th>
                <td>{row.outcome}</td>
                <td class="number">{row.milliseconds === null ? '–' : format(row.milliseconds)}</td>
                <td class="waterfall-track">
                  <span
                    class={`waterfall-bar tone-${row.tone}`}
                    style={{ width: share(row.milliseconds ?? span) }}
                  />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}
