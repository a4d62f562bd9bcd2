/** A connection whose reading can be held up; its sender then waits, by TCP. */
export interface Source {
  pause(): void;
  resume(): void;
  /** Bytes that were read and not handed on since it was paused. */
  waiting(): number;
  /** It is silent because it waits here, not because it is dead. */
  excuse(): void;
}

/** So much is read in one turn of the event loop; then whoever has more to send takes turns. */
export const READ_A_TURN = 2 << 20;
/** What a message is taken for of which only the beginning is known. */
export const EXPECTED = 1 << 20;
/** As much as one read gives; of whom less waits, that is all that came. */
const CHUNK = 64 << 10;
/** Updates that were counted and wait for the disk, in bytes, beyond which nobody goes on with one. */
export const MOST_HELD = 64 << 20;
/** Unfinished messages, in bytes, beyond which nobody begins another. */
export const MOST_UNFINISHED = 128 << 20;
/** How many turns pass between two excuses of those who wait. */
const EXCUSED_EVERY = 16;
/** How many turns pass, while others deliver, between two looks at all who are silent: they are the most. */
const LOOKED_AT_EVERY = 4;
/** A message of which no more has come has hardly begun. */
export const BEGUN = 2 * CHUNK;

/**
 * Decides who may send on. A cohort that delivers at once would keep the event loop from everything else and
 * fill memory with halves of updates; here the connections take turns. Where a turn has read enough, all wait,
 * and go on so many a turn, in order; where the disk lags behind, those in the middle of a message wait;
 * where too much is unfinished, those who have hardly begun wait for those who have. Who has little to say
 * is heard a few turns later.
 */
export class Intake {
  readonly #later: (go: () => void) => void;
  /** Bytes of the message that each is in the middle of. */
  readonly #unfinished = new Map<Source, number>();
  /** Who reads on; who waits, in the order in which they came to; and of those, who is known to have much to send. */
  readonly #flowing = new Set<Source>();
  readonly #paused = new Set<Source>();
  readonly #large = new Set<Source>();
  #read = 0;
  #sum = 0;
  #held = 0;
  #closed = false;
  #turning = false;
  #turns = 0;

  /** @param later calls back in another turn of the event loop. */
  constructor(later: (go: () => void) => void = setImmediate) {
    this.#later = later;
  }

  /** Connections whose reading is looked after. */
  get size(): number {
    return this.#unfinished.size;
  }

  add(source: Source): void {
    this.#unfinished.set(source, 0);
    this.#flowing.add(source);
  }

  /** The connection is no more. */
  gone(source: Source): void {
    this.complete(source);
    this.#unfinished.delete(source);
    this.#flowing.delete(source);
    this.#paused.delete(source);
    this.#large.delete(source);
    this.#turn();
  }

  /** Before what was read is looked into. */
  read(source: Source, bytes: number): void {
    // A connection that was closed from here may still be sending, if only its farewell.
    if (!this.#unfinished.has(source)) return;
    this.#unfinished.set(source, this.#bytesOf(source) + bytes);
    this.#sum += bytes;
    this.#read += bytes;
    this.#turn();
  }

  /** A message of this source is complete. */
  complete(source: Source): void {
    if (!this.#unfinished.has(source)) return;
    this.#sum -= this.#bytesOf(source);
    this.#unfinished.set(source, 0);
  }

  /** After what was read was looked into: who reads on. */
  consider(source: Source): void {
    if (this.#read > READ_A_TURN && !this.#closed) {
      this.#closed = true;
      for (const each of this.#flowing) this.#pause(each);
    }
    if (this.#unfinished.has(source) && !this.#mayGoOn(source)) this.#pause(source);
  }

  /** Keeps so many bytes in memory until what comes back is called, once. */
  hold(bytes: number): () => void {
    this.#held += bytes;
    return () => {
      this.#held -= bytes;
      this.#turn();
    };
  }

  #pause(source: Source): void {
    if (!this.#flowing.delete(source)) return;
    this.#paused.add(source);
    source.pause();
    this.#turn();
  }

  /** @param waits where it waited. */
  #goOn(source: Source, waits: Set<Source>): void {
    waits.delete(source);
    this.#flowing.add(source);
    source.resume();
  }

  #turn(): void {
    if (this.#turning) return;
    this.#turning = true;
    this.#later(() => {
      this.#turning = false;
      this.#closed = false;
      this.#read = 0;
      this.#resume();
    });
  }

  #resume(): void {
    const looked = this.#large.size === 0 || this.#turns % LOOKED_AT_EVERY === 0;
    if (looked) this.#look();
    if (this.#turns++ % EXCUSED_EVERY === 0) for (const source of this.#large) source.excuse();
    let room = READ_A_TURN;
    if (this.#held <= MOST_HELD)
      for (const source of this.#large) {
        if (room < EXPECTED) break;
        if (!this.#mayGoOn(source)) continue;
        room -= EXPECTED;
        this.#goOn(source, this.#large);
      }
    // While others deliver, the silent stay: one read of theirs comes through all the same, and says when they are none.
    if (room === READ_A_TURN || this.#large.size === 0) {
      // Who is in the middle of a message does not go on with the silent, but is asked in the next turn.
      if (!looked && this.#look()) this.#turn();
      for (const source of [...this.#paused]) this.#goOn(source, this.#paused);
    }
    // Those for whom there was no room; the others are waited for by whoever else ends something.
    if (this.#paused.size > 0 || (room < EXPECTED && this.#large.size > 0)) this.#turn();
  }

  /** Finds out who of those who wait has much to send; who has little goes on. @returns whether there is anyone new. */
  #look(): boolean {
    const known = this.#large.size;
    for (const source of this.#paused) {
      const waiting = source.waiting();
      if (this.#bytesOf(source) > 0 || waiting >= CHUNK) {
        this.#paused.delete(source);
        this.#large.add(source);
      } else if (waiting > 0) this.#goOn(source, this.#paused);
    }
    return this.#large.size > known;
  }

  #mayGoOn(source: Source): boolean {
    const bytes = this.#bytesOf(source);
    if (bytes > 0 && this.#held > MOST_HELD) return false;
    return this.#sum <= MOST_UNFINISHED || bytes > BEGUN || bytes === 0 || !this.#someoneReads();
  }

  /** Whether a message that has begun is being read. */
  #someoneReads(): boolean {
    for (const source of this.#flowing) if (this.#bytesOf(source) > BEGUN) return true;
    return false;
  }

  #bytesOf(source: Source): number {
    return this.#unfinished.get(source) ?? 0;
  }
}
