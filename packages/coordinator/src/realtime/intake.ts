/** A connection whose reading can be paused; its sender then waits (TCP backpressure). */
export interface Source {
  pause(): void;
  resume(): void;
  /** Bytes received and not yet passed on since it was paused. */
  waiting(): number;
  /** Restarts its heartbeat timeout: it is silent because it is paused, not because it is dead. */
  excuse(): void;
}

/** Bytes read in one turn of the event loop, after which connections with more to send take turns. */
export const READ_A_TURN = 2 << 20;
/** Assumed size of a message of which only the beginning is known. */
export const EXPECTED = 1 << 20;
/** Size of one read; where less waits, it is everything that arrived. */
const CHUNK = 64 << 10;
/** Bytes of counted updates waiting for the disk beyond which no connection continues with one. */
export const MOST_HELD = 64 << 20;
/** Bytes of incomplete messages beyond which no connection begins another. */
export const MOST_UNFINISHED = 128 << 20;
/** Turns between two calls of `excuse` for paused sources. */
const EXCUSED_EVERY = 16;
/** Turns, while others deliver, between two checks of all silent sources, which are the most. */
const LOOKED_AT_EVERY = 4;
/** Received bytes up to which a message counts as hardly begun. */
export const BEGUN = 2 * CHUNK;

/**
 * Applies backpressure to connections. A cohort that delivers at once would block the event loop and fill memory with
 * partial updates; here connections take turns. Where a turn has read enough, all are paused, and resume a few a turn,
 * in order; where the disk lags behind, those in the middle of a message wait; where too many bytes are incomplete,
 * messages that have hardly begun wait for the others. Small messages are delayed by a few turns.
 */
export class Intake {
  readonly #later: (go: () => void) => void;
  /** Bytes of each source's incomplete message. */
  readonly #unfinished = new Map<Source, number>();
  /** Sources being read; paused sources, in order; paused sources with a large message. */
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

  /** Number of sources. */
  get size(): number {
    return this.#unfinished.size;
  }

  add(source: Source): void {
    this.#unfinished.set(source, 0);
    this.#flowing.add(source);
  }

  /** Removes a closed connection. */
  gone(source: Source): void {
    this.complete(source);
    this.#unfinished.delete(source);
    this.#flowing.delete(source);
    this.#paused.delete(source);
    this.#large.delete(source);
    this.#turn();
  }

  /** Counts received bytes. Call before they are parsed. */
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

  /** Pauses sources that may not read on. Call after received bytes were parsed. */
  consider(source: Source): void {
    if (this.#read > READ_A_TURN && !this.#closed) {
      this.#closed = true;
      for (const each of this.#flowing) this.#pause(each);
    }
    if (this.#unfinished.has(source) && !this.#mayGoOn(source)) this.#pause(source);
  }

  /** Counts bytes as held in memory until the returned function is called, once. */
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

  /** @param waits the set in which it waited. */
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
    // While others deliver, silent sources stay paused: one read of theirs still arrives, and shows that they are not.
    if (room === READ_A_TURN || this.#large.size === 0) {
      // Do not resume a source in the middle of a message together with silent ones: the next turn decides on it.
      if (!looked && this.#look()) this.#turn();
      for (const source of [...this.#paused]) this.#goOn(source, this.#paused);
    }
    // Try sources without room again in the next turn; the end of another message triggers a turn for the rest.
    if (this.#paused.size > 0 || (room < EXPECTED && this.#large.size > 0)) this.#turn();
  }

  /**
   * Sorts paused sources: those with large messages are remembered, those with little resume. @returns true where there
   * are new large ones.
   */
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

  /** Checks that a message that has begun is being read. */
  #someoneReads(): boolean {
    for (const source of this.#flowing) if (this.#bytesOf(source) > BEGUN) return true;
    return false;
  }

  #bytesOf(source: Source): number {
    return this.#unfinished.get(source) ?? 0;
  }
}
