import type { DoneEvent, RoundEvent } from '../events.ts';
import { formatBytes, formatLoss, formatPercent, formatSeconds, measured, plural } from '../report/format.ts';
import { plainText } from './plain-text.ts';
import type { Progress, ProgressStream, ProgressTotal } from './progress.ts';

/** Progress with a line for each event, for logs, where nothing can be redrawn. */
export class LinesProgress implements Progress {
  readonly #stream: ProgressStream;
  readonly #total: ProgressTotal;

  constructor(stream: ProgressStream, total: ProgressTotal) {
    this.#stream = stream;
    this.#total = total;
  }

  joined(clients: number): void {
    if (clients === this.#total.clients) this.#line(`${plural(clients, 'client')} joined`);
  }

  /** Ignored: a log has one line a round. */
  within(): void {}

  round(event: RoundEvent): void {
    const parts = [`round ${event.round}/${this.#total.rounds}`];
    if (measured(event.accuracy)) parts.push(`accuracy ${formatPercent(event.accuracy)}`);
    if (measured(event.loss)) parts.push(`loss ${formatLoss(event.loss)}`);
    for (const [name, value] of Object.entries(event.values ?? {}))
      if (measured(value)) parts.push(`${name} ${formatLoss(value)}`);
    parts.push(
      plural(event.participants, 'update'),
      `${formatBytes(event.bytesUp)} up`,
      `${formatBytes(event.bytesDown)} down`,
      formatSeconds(event.seconds),
    );
    this.#line(parts.join(', '));
  }

  note(message: string): void {
    this.#line(plainText(message));
  }

  done(event: DoneEvent): void {
    this.#line(`done: ${plural(event.rounds, 'round')} in ${formatSeconds(event.seconds)}`);
  }

  fail(message: string): void {
    this.#line(`failed: ${plainText(message)}`);
  }

  #line(text: string): void {
    this.#stream.write(`${text}\n`);
  }
}
