import type { Clock } from '@coppice/ports';
import { CoppiceError } from '@coppice/protocol';
import type { Logger } from 'pino';
import type { ParticipantStorage } from '../storage/participant-storage.ts';
import { nextTurn } from '../turns.ts';
import type { AddressLimit } from './address-limit.ts';

const DAY = 24 * 3600 * 1000;
/** Absence after which a participant counts as new again. */
const FORGET_AFTER = 365 * DAY;
/** Interval at which a participant's presence is recorded: once a day, not at each connection. */
const TOUCH_AFTER = DAY;

export interface NewcomersOptions {
  readonly storage: ParticipantStorage;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Limit of new identities from one address in an hour. */
  readonly limit: AddressLimit;
}

/** Admits known participants, and a limited number of new identities from one address in an hour. */
export class Newcomers {
  readonly #o: NewcomersOptions;
  #coming: { readonly ids: Set<string>; readonly written: Promise<void> } | null = null;

  constructor(options: NewcomersOptions) {
    this.#o = options;
  }

  /** Forgets participants that were absent for a year. */
  tidy(): Promise<void> {
    return this.#o.storage.forgetParticipants(this.#o.clock.now() - FORGET_AFTER);
  }

  /** The reason to refuse a participant with a proved key from this address now; `null` where it is admitted. */
  async refusal(participant: string, address: string): Promise<CoppiceError | null> {
    const { storage, clock, logger, limit } = this.#o;
    try {
      const seen = await storage.participantSeen(participant);
      const now = clock.now();
      if (seen === null) {
        const wait = await limit.take(address);
        if (wait !== null) return tooMany(wait);
      } else if (now - seen < TOUCH_AFTER) return null;
      await this.#see(participant);
    } catch (thrown) {
      // A failure of the disk, not of this participant: a full disk keeps no one out.
      logger.error({ participant, err: thrown }, 'who is here could not be read or written down');
    }
    return null;
  }

  /** Records a participant's presence. All of one turn of the event loop share a write, since each is flushed to disk. */
  #see(participant: string): Promise<void> {
    if (this.#coming === null) {
      const ids = new Set<string>();
      const written = nextTurn().then(() => {
        this.#coming = null;
        return this.#o.storage.seeParticipants([...ids], this.#o.clock.now());
      });
      this.#coming = { ids, written };
    }
    this.#coming.ids.add(participant);
    return this.#coming.written;
  }
}

function tooMany(seconds: number): CoppiceError {
  return new CoppiceError(
    'too-many-identities',
    `Too many participants that were never here before came from this address within an hour. It is tried again by itself; the next can come in ${Math.ceil(seconds / 60)} min.`,
  );
}
