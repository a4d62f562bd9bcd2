import type { DoneEvent, RoundEvent } from '../events.ts';
import { bestRound } from '../report/best-round.ts';
import {
  formatBytes,
  formatCount,
  formatLoss,
  formatPercent,
  formatRound,
  formatSeconds,
  measured,
  plural,
} from '../report/format.ts';
import { thin } from '../report/thin.ts';

/** The most rows of the table: about a screen. */
const MOST_ROWS = 20;

/**
 * The result of a simulation for a terminal: the rounds (thinned to 20, always with the last and the best), then the
 * totals. Ends without a newline.
 *
 * @param target the target accuracy, 0 to 1; null where there was none.
 */
export function finalTable(
  rounds: readonly RoundEvent[],
  done: DoneEvent,
  target: number | null = null,
): string {
  return [...roundLines(rounds), ...(rounds.length === 0 ? [] : ['']), ...totals(rounds, done, target)].join(
    '\n',
  );
}

function roundLines(rounds: readonly RoundEvent[]): readonly string[] {
  if (rounds.length === 0) return [];
  const best = bestRound(rounds);
  const shown = shownRounds(rounds, best?.round ?? null);
  const rows = shown.map((round) => [
    formatCount(round.round),
    formatPercent(round.accuracy),
    formatLoss(round.loss),
    formatCount(round.participants),
    formatBytes(round.bytesUp),
    formatBytes(round.bytesDown),
    formatSeconds(round.seconds),
    round.round === best?.round ? 'best' : '',
  ]);
  const lines = aligned(['round', 'accuracy', 'loss', 'clients', 'up', 'down', 'time', ''], rows);
  const left = rounds.length - shown.length;
  return left === 0 ? lines : [...lines, `(${plural(left, 'round')} between them not shown)`];
}

function shownRounds(rounds: readonly RoundEvent[], best: number | null): readonly RoundEvent[] {
  const shown = thin(rounds, MOST_ROWS);
  if (best === null || shown.some(({ round }) => round === best)) return shown;
  // One fewer of the others makes room for the best.
  const numbers = new Set([best, ...thin(rounds, MOST_ROWS - 1).map(({ round }) => round)]);
  return rounds.filter(({ round }) => numbers.has(round));
}

function totals(rounds: readonly RoundEvent[], done: DoneEvent, target: number | null): readonly string[] {
  const best = bestRound(rounds);
  const pairs: [string, string][] = [];
  if (measured(done.accuracy))
    pairs.push(['accuracy', `${formatPercent(done.accuracy)} after the last round`]);
  if (best !== null)
    pairs.push(['best', `${formatPercent(best.accuracy)} in round ${formatCount(best.round)}`]);
  if (target !== null) {
    const reached =
      done.roundsToTarget === null ? 'not reached' : `reached in round ${formatCount(done.roundsToTarget)}`;
    pairs.push(['target', `${formatRound(target * 100)}%, ${reached}`]);
  }
  pairs.push(
    [
      'rounds',
      done.rounds === 0
        ? 'none was finished'
        : `${formatCount(done.rounds)} in ${formatSeconds(done.seconds)}`,
    ],
    ['traffic', `${formatBytes(done.bytesUp)} up, ${formatBytes(done.bytesDown)} down`],
    ...limited(done),
    ['checkpoint', done.checkpoint],
  );
  const width = Math.max(...pairs.map(([name]) => name.length));
  return pairs.map(([name, value]) => `${name.padEnd(width)}  ${value}`);
}

/** The number of updates that limits reduced, where there are any: under quantity skew, honest ones are among them. */
function limited({ capped, scaled }: DoneEvent): [string, string][] {
  if (capped + scaled === 0) return [];
  const updates = (count: number) => plural(count, 'update');
  return [['limited', `${updates(capped)} at the weight cap, ${updates(scaled)} at the norm bound`]];
}

/** Columns as wide as their widest cell, numbers to the right, two spaces between, no trailing ones. */
function aligned(head: readonly string[], rows: readonly (readonly string[])[]): readonly string[] {
  const all = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...all.map((row) => (row[column] as string).length)));
  const lines = all.map((row) =>
    row
      .map((cell, column) => cell.padStart(widths[column] as number))
      .join('  ')
      .trimEnd(),
  );
  const rule = '-'.repeat(Math.max(...lines.map((line) => line.length)));
  return [lines[0] as string, rule, ...lines.slice(1)];
}
