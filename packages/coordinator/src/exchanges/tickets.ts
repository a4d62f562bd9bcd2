import { createHmac, timingSafeEqual } from 'node:crypto';

/**
 * The tickets of a run, or of another owner of exchanges such as a task: each names an exchange, or a model that was pulled, and is bound to the
 * participant that it was given to. They outlive the process, since they are made from a secret of the owner.
 */
export class Tickets {
  readonly #owner: string;
  readonly #secret: string;

  constructor(owner: string, secret: string) {
    this.#owner = owner;
    this.#secret = secret;
  }

  /** @param exchange the exchange's name: letters, digits and hyphens. */
  issue(exchange: string, participant: string): string {
    return `${exchange}.${this.#seal(exchange, participant)}`;
  }

  /** @returns the exchange that a ticket of this participant names; `null` where it is not one that this owner gave it. */
  read(ticket: string, participant: string): string | null {
    const at = ticket.indexOf('.');
    if (at < 1) return null;
    const exchange = ticket.slice(0, at);
    const given = Buffer.from(ticket.slice(at + 1));
    const right = Buffer.from(this.#seal(exchange, participant));
    return given.byteLength === right.byteLength && timingSafeEqual(given, right) ? exchange : null;
  }

  #seal(exchange: string, participant: string): string {
    return createHmac('sha256', this.#secret)
      .update(`${this.#owner}\n${exchange}\n${participant}`)
      .digest('base64url')
      .slice(0, 22);
  }
}

/** The name of a round's exchange, and the round and attempt that a name tells. */
export function trainName(round: number, attempt: number): string {
  return `t${round}-${attempt}`;
}

/** The name of the pull of a model, by the round that made it. */
export function pullName(round: number): string {
  return `p${round}`;
}

export function roundOf(name: string): { round: number; attempt: number } | null {
  const parts = /^t(\d+)-(\d+)$/.exec(name);
  return parts === null ? null : { round: Number(parts[1]), attempt: Number(parts[2]) };
}
