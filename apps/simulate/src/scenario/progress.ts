import { formatBytes, formatPercent, formatSeconds, plural } from '../report/format.ts';
import { meanAccuracy, type Played, type ScenarioEvent, type SchemeFigures } from './figures.ts';
import type { PlayedPeriod } from './play.ts';
import type { Scenario } from './scenario.ts';
import { type SchemeName, schemeNames } from './schemes/index.ts';

/** The names of the ways, for people. */
export const schemeTitles: Readonly<Record<SchemeName, string>> = {
  loop: 'the loop',
  never: 'never retrained',
  fixed: 'fixed schedule',
};

/** One line for a period that was played. */
export function periodLine(scheme: SchemeName, period: PlayedPeriod, { size }: Scenario): string {
  const parts = [
    `${schemeTitles[scheme]}: period ${period.period}/${size.periods}`,
    `accuracy ${formatPercent(period.accuracy)}`,
    ...happened(period),
  ];
  return parts.join(', ');
}

/** What happened in a period, in words. */
export function happened({ verdict, rounds, refused, releases, rollbacks }: PlayedPeriod): string[] {
  return [
    ...(verdict?.drift ? ['drift alarm'] : []),
    ...(verdict?.quality ? ['data-quality alarm'] : []),
    ...(verdict?.floor ? ['errors above the floor'] : []),
    ...(rounds > 0 ? [plural(rounds, 'round')] : []),
    ...(refused > 0 ? ['candidate refused'] : []),
    ...(releases > 0 ? ['released'] : []),
    ...(rollbacks > 0 ? ['rolled back'] : []),
  ];
}

/** The result for a terminal. Ends without a newline. */
export function resultText(event: ScenarioEvent, played: Played): string {
  const figures: Record<SchemeName, SchemeFigures> = { loop: event, ...event.baselines };
  const rows = schemeNames.map((scheme) => {
    const { accuracy, bytes, rounds, deviceSeconds } = figures[scheme];
    return [
      schemeTitles[scheme],
      ...[accuracy.before, accuracy.worst, accuracy.after, meanAccuracy(played[scheme])].map(formatPercent),
      String(rounds),
      formatBytes(bytes),
      formatSeconds(deviceSeconds),
    ];
  });
  const head = ['', 'before', 'worst', 'after', 'mean', 'rounds', 'bytes', 'device time'];
  const all = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...all.map((row) => (row[column] as string).length)));
  const table = all.map((row) =>
    row
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[column] as number) : cell.padStart(widths[column] as number),
      )
      .join('  ')
      .trimEnd(),
  );
  return [
    ...table,
    '',
    `${formatPercent(event.accuracy.newDataOnly)} with a model trained on the new data alone.`,
    noticedText(event),
    `${plural(event.releases, 'release')}, ${plural(event.rollbacks, 'rollback')}.`,
  ].join('\n');
}

/** How changes were noticed, in a sentence. */
export function noticedText({
  drifts,
  noticed,
  delayPeriods,
  falseAlarms,
  quietPeriods,
}: ScenarioEvent): string {
  const found =
    drifts === 0
      ? 'Nothing changed'
      : `${noticed} of ${plural(drifts, 'change')} noticed${noticed === 0 ? '' : `, at the end of period ${delayPeriods.join(' and ')} of it`}`;
  return `${found}; ${plural(falseAlarms, 'false alarm')} in ${plural(quietPeriods, 'quiet period')}.`;
}
