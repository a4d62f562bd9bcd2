import { createHmac, timingSafeEqual } from 'node:crypto';
import type { TaskOpening } from '../storage/task-opening.ts';

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

/** Digits of a model's hash in a name: rounds and attempts count anew after an older backup is restored. */
const HASH_DIGITS = 8;

/** A round's exchange, as its name tells it. */
export interface NamedRound {
  readonly round: number;
  readonly attempt: number;
  /** The beginning of the hash of the model that the round began from. */
  readonly parent: string;
}

/** The name of a round's exchange. @param parent the hash of the model that the round begins from. */
export function trainName({ round, attempt, parent }: NamedRound): string {
  return `t${round}-${attempt}-${parent.slice(0, HASH_DIGITS)}`;
}

/** The name of the exchange that measures the last model, with this hash. */
export function evaluateName(round: number, hash: string): string {
  return `e${round}-1-${hash.slice(0, HASH_DIGITS)}`;
}

/** The name of an exchange in which participants agree on a scaling. @param hash of the run's first model. */
export function scalingName(attempt: number, hash: string): string {
  return `s${attempt}-${hash.slice(0, HASH_DIGITS)}`;
}

/** The name of the pull of a model, by the round that made it and its hash. */
export function pullName({ round, hash }: { readonly round: number; readonly hash: string }): string {
  return `p${round}-${hash.slice(0, HASH_DIGITS)}`;
}

/** The name of an exchange of a task. One of other bins, or about other models, has another name, also where its number comes again. */
export function taskExchangeName({ kind, period, reference, layout, models }: TaskOpening): string {
  const hashes = [reference ?? layout, ...(models ?? [])].map((hash) => hash.slice(0, HASH_DIGITS));
  return [kind, period, ...hashes].join('-');
}

/** The round of a name that `trainName` made; `null` for any other name. */
export function roundOf(name: string): NamedRound | null {
  const [, round, attempt, parent] = /^t(\d+)-(\d+)-([0-9a-f]{8})$/.exec(name) ?? [];
  return parent === undefined ? null : { round: Number(round), attempt: Number(attempt), parent };
}
