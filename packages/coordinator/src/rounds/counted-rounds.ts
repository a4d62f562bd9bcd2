import type { Round } from '@coppice/protocol';
import type { NamedRound } from '../exchanges/tickets.ts';
import type { Storage } from '../storage/storage.ts';

/** Rounds whose records stay in memory: as many as one message can name. */
const KEPT = 8;

/** The participants whose answers counted in an attempt of a round; `null`: it was not committed. */
type Accepted = { readonly parent: string; readonly participants: ReadonlySet<string> } | null;

/**
 * The answers that counted in earlier rounds of a run. A message reads one record a ticket, by its key, and the last
 * ones read are kept: what it costs does not grow with the run. Records of rounds that are over do not change in this.
 */
export class CountedRounds {
  readonly #run: string;
  readonly #storage: Pick<Storage, 'round'>;
  /** The last read last. */
  readonly #kept = new Map<string, Promise<Accepted>>();

  constructor(run: string, storage: Pick<Storage, 'round'>) {
    this.#run = run;
    this.#storage = storage;
  }

  /**
   * @param asked a round that is over: it is behind the current model.
   * @throws CoppiceError `storage-failed` and its kin.
   */
  async has(participant: string, asked: NamedRound): Promise<boolean> {
    const accepted = await this.#read(asked);
    return accepted?.parent.startsWith(asked.parent) === true && accepted.participants.has(participant);
  }

  #read({ round, attempt }: NamedRound): Promise<Accepted> {
    const key = `${round}-${attempt}`;
    const reading = this.#kept.get(key) ?? this.#storage.round(this.#run, round, attempt).then(acceptedIn);
    this.#kept.delete(key);
    this.#kept.set(key, reading);
    const [first] = this.#kept.keys();
    if (this.#kept.size > KEPT && first !== undefined) this.#kept.delete(first);
    // One that failed is read again.
    reading.catch(() => {
      if (this.#kept.get(key) === reading) this.#kept.delete(key);
    });
    return reading;
  }
}

function acceptedIn(round: Round | null): Accepted {
  if (round?.outcome !== 'committed') return null;
  const accepted = round.cohort.filter(({ outcome }) => outcome === 'accepted');
  return { parent: round.parent, participants: new Set(accepted.map(({ participant }) => participant)) };
}
