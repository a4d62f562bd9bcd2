import type { DoneEvent, RoundEvent } from '../events.ts';
import { formatLoss, formatPercent, formatSeconds, measured, plural } from '../report/format.ts';
import { bar } from './bar.ts';
import { plainText } from './plain-text.ts';
import type { Progress, ProgressStream, ProgressTotal } from './progress.ts';

/** Shortest interval between redraws, in milliseconds; more often is invisible. */
const REDRAW_MILLISECONDS = 50;
const WIDEST_BAR = 30;
const NARROWEST_BAR = 8;
/** Number of last rounds that the time left is estimated from: the first ones are slower than the rest. */
const ROUNDS_JUDGED = 10;
/** Moves to the start of the line and erases it. */
const CLEAR = '\r\x1b[K';

/** One line that redraws itself in place and never wraps: parts that do not fit are left out, last first. */
export class LiveProgress implements Progress {
  readonly #stream: ProgressStream;
  readonly #total: ProgressTotal;
  readonly #colour: boolean;
  readonly #now: () => number;
  #joined = 0;
  #within: { readonly done: number; readonly asked: number } | null = null;
  #last: RoundEvent | null = null;
  #seconds: number[] = [];
  #drawn = '';
  #drawnAt = Number.NEGATIVE_INFINITY;

  constructor(
    stream: ProgressStream,
    total: ProgressTotal,
    look: { readonly colour: boolean; readonly now: () => number },
  ) {
    this.#stream = stream;
    this.#total = total;
    this.#colour = look.colour;
    this.#now = look.now;
  }

  joined(clients: number): void {
    this.#joined = clients;
    this.#draw(clients === this.#total.clients);
  }

  within(done: number, asked: number): void {
    this.#within = { done, asked };
    this.#draw(done === asked);
  }

  round(event: RoundEvent): void {
    this.#last = event;
    this.#within = null;
    this.#seconds = [...this.#seconds, event.seconds].slice(-ROUNDS_JUDGED);
    this.#draw(true);
  }

  note(message: string): void {
    this.#stream.write(`${CLEAR}${plainText(message)}\n`);
    this.#drawn = '';
    this.#draw(true);
  }

  done(event: DoneEvent): void {
    this.#end(`${this.#paint('✓', 32)} ${plural(event.rounds, 'round')} in ${formatSeconds(event.seconds)}`);
  }

  fail(message: string): void {
    this.#end(`${this.#paint('✗', 31)} ${plainText(message)}`);
  }

  #end(line: string): void {
    this.#stream.write(`${CLEAR}${line}\n`);
    this.#drawn = '';
  }

  #draw(now: boolean): void {
    const time = this.#now();
    if (!now && time - this.#drawnAt < REDRAW_MILLISECONDS) return;
    const line = this.#line();
    if (line === this.#drawn) return;
    this.#drawn = line;
    this.#drawnAt = time;
    this.#stream.write(`${CLEAR}${line}`);
  }

  #line(): string {
    // The last column stays free: some terminals wrap as soon as it is written.
    const width = (this.#stream.columns || 80) - 1;
    const training = this.#last !== null || this.#within !== null;
    const [lead, share, parts] = training ? this.#training() : this.#joining();
    let shown = [...parts];
    const barWidth = () => width - [lead, '', ...shown].reduce((sum, part) => sum + part.length + 2, -2);
    while (shown.length > 0 && barWidth() < NARROWEST_BAR) shown = shown.slice(0, -1);
    const room = Math.min(WIDEST_BAR, barWidth());
    if (room < 1) return lead.slice(0, Math.max(0, width));
    return [lead, bar(share, room, this.#colour), ...shown].join('  ');
  }

  #joining(): readonly [lead: string, share: number, parts: readonly string[]] {
    const { clients } = this.#total;
    return ['joining', this.#joined / clients, [`${this.#joined}/${clients} clients`]];
  }

  /** The parts of the line during training, most important first. */
  #training(): readonly [lead: string, share: number, parts: readonly string[]] {
    const { rounds } = this.#total;
    const finished = this.#last?.round ?? 0;
    const within = this.#within;
    const underWay = within === null || within.asked === 0 ? 0 : within.done / within.asked;
    const parts: string[] = [];
    if (measured(this.#last?.accuracy)) parts.push(formatPercent(this.#last.accuracy));
    else if (measured(this.#last?.loss)) parts.push(`loss ${formatLoss(this.#last.loss)}`);
    const eta = this.#secondsLeft(underWay);
    if (eta !== null) parts.push(`ETA ${eta < 60 ? `${eta} s` : formatSeconds(eta)}`);
    if (within !== null) parts.push(`${within.done}/${within.asked} updates`);
    if (measured(this.#last?.accuracy) && measured(this.#last?.loss))
      parts.push(`loss ${formatLoss(this.#last.loss)}`);
    const counted = String(finished).padStart(String(rounds).length);
    return [`round ${counted}/${rounds}`, (finished + underWay) / rounds, parts];
  }

  #secondsLeft(underWay: number): number | null {
    const left = this.#total.rounds - (this.#last?.round ?? 0) - underWay;
    if (this.#seconds.length === 0 || left <= 0) return null;
    const mean = this.#seconds.reduce((sum, one) => sum + one, 0) / this.#seconds.length;
    return Math.max(1, Math.ceil(left * mean));
  }

  #paint(text: string, code: number): string {
    return this.#colour ? `\x1b[${code}m${text}\x1b[39m` : text;
  }
}
