import type { Exchange } from '../exchanges/exchange.ts';
import type { OpenRound } from './open-round.ts';

/** The open exchanges of a run: they wait for answers, or their model is being made. */
export class OpenExchanges {
  /** The current round; `null` between rounds. */
  round: OpenRound | null = null;
  /** The evaluation of the last model, while it is open. */
  closing: Exchange | null = null;

  /** The agreement on the task's scaling, while it is open. */
  scaling: Exchange | null = null;

  all(): Exchange[] {
    return [this.round?.exchange ?? null, this.closing, this.scaling].filter((exchange) => exchange !== null);
  }

  /** @returns `null` where the exchange of this name is over, or never existed. */
  named(name: string): Exchange | null {
    return this.all().find((exchange) => exchange.name === name) ?? null;
  }
}
