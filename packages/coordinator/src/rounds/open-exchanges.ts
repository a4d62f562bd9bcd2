import type { Exchange } from '../exchanges/exchange.ts';
import type { OpenRound } from './open-round.ts';

/** The exchanges of a run whose outcome is open: they wait for answers, or a model is being made of those that came. */
export class OpenExchanges {
  /** The round under way; `null` between rounds. */
  round: OpenRound | null = null;
  /** The evaluation of the last model, while it is under way. */
  closing: Exchange | null = null;

  all(): Exchange[] {
    return [this.round?.exchange ?? null, this.closing].filter((exchange) => exchange !== null);
  }

  /** @returns `null` where the exchange of this name is over, or never was. */
  named(name: string): Exchange | null {
    return this.all().find((exchange) => exchange.name === name) ?? null;
  }
}
