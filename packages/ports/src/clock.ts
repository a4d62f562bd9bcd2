/** Time, as an argument. Pure rooms, and everything with a deadline, take one of these. */
export interface Clock {
  /** Milliseconds since the epoch, for dates. People and time servers adjust it, forwards and back. */
  now(): number;
  /** Milliseconds since an arbitrary moment, for durations. Monotonic: nothing sets it, and it never goes back. */
  elapsed(): number;
  /** Calls `fire` once, no sooner than `milliseconds` from now. Returns a function that cancels it. */
  setTimer(milliseconds: number, fire: () => void): () => void;
}

/** A clock that stands still until it is told to move: for tests and replays. */
export class ManualClock implements Clock {
  #now: number;
  /** Milliseconds by which `jump` moved the date. */
  #set = 0;
  #timers: { at: number; order: number; fire: () => void }[] = [];
  #order = 0;

  constructor(startAt = 0) {
    this.#now = startAt;
  }

  now(): number {
    return this.#now + this.#set;
  }

  elapsed(): number {
    return this.#now;
  }

  /** Sets the date forwards or (below 0) back, as an administrator or a time server does; no time passes. */
  jump(milliseconds: number): void {
    this.#set += milliseconds;
  }

  setTimer(milliseconds: number, fire: () => void): () => void {
    const timer = { at: this.#now + Math.max(0, milliseconds), order: this.#order++, fire };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  /** Moves time on, firing what falls due in order, each at its own time. */
  advance(milliseconds: number): void {
    const until = this.#now + milliseconds;
    for (;;) {
      const due = this.#timers
        .filter((timer) => timer.at <= until)
        .sort((a, b) => a.at - b.at || a.order - b.order)[0];
      if (due === undefined) break;
      this.#timers = this.#timers.filter((other) => other !== due);
      this.#now = due.at;
      due.fire();
    }
    this.#now = until;
  }
}
