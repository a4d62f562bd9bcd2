/** Measures turns of the event loop in CPU time of its own thread, which excludes other processes. */
export class TurnMeter {
  #longest = 0;
  #last = cpuMilliseconds();
  #isOn = true;

  constructor() {
    const turn = () => {
      const now = cpuMilliseconds();
      this.#longest = Math.max(this.#longest, now - this.#last);
      this.#last = now;
      if (this.#isOn) setImmediate(turn);
    };
    setImmediate(turn);
  }

  /** The longest turn since the last time that it was asked for, in milliseconds. The turn that is going on counts. */
  longest(): number {
    const now = cpuMilliseconds();
    const longest = Math.max(this.#longest, now - this.#last);
    this.#last = now;
    this.#longest = 0;
    return longest;
  }

  stop(): void {
    this.#isOn = false;
  }
}

/** CPU time of this thread. */
export function cpuMilliseconds(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}
