import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BEGUN, EXPECTED, Intake, MOST_HELD, MOST_UNFINISHED, READ_A_TURN, type Source } from './intake.ts';

const CHUNK = 65_536;

/** A sender as the operating system shows it: so much is there to be read, a chunk at a time. */
class Sender implements Source {
  readonly #intake: Intake;
  readonly #message: number;
  left: number;
  #ofMessage: number;
  paused = false;
  excused = 0;
  resumed = 0;
  #buffered = 0;
  messages = 0;

  constructor(intake: Intake, { bytes, message = bytes }: { bytes: number; message?: number }) {
    this.#intake = intake;
    this.left = bytes;
    this.#message = message;
    this.#ofMessage = message;
    intake.add(this);
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
    this.resumed++;
    const buffered = this.#buffered;
    this.#buffered = 0;
    if (buffered > 0) this.#hand(buffered);
  }

  waiting(): number {
    return this.#buffered;
  }

  excuse(): void {
    this.excused++;
  }

  /** The loop comes by: reads until it is told to stop, as libuv does. @returns bytes read. */
  poll(): number {
    let read = 0;
    while (this.left > 0 && this.#buffered === 0) {
      const bytes = Math.min(CHUNK, this.left);
      this.left -= bytes;
      read += bytes;
      if (this.paused) this.#buffered = bytes;
      else this.#hand(bytes);
    }
    return read;
  }

  #hand(bytes: number): void {
    this.#intake.read(this, bytes);
    this.#ofMessage -= bytes;
    if (this.#ofMessage <= 0) {
      this.messages++;
      this.#ofMessage += this.#message;
      this.#intake.complete(this);
    }
    this.#intake.consider(this);
  }
}

function world() {
  let waiting: (() => void)[] = [];
  const intake = new Intake((go) => waiting.push(go));
  return {
    intake,
    idle: () => waiting.length === 0,
    turn() {
      const now = waiting;
      waiting = [];
      for (const go of now) go();
    },
  };
}

describe('the intake', () => {
  it('lets a thousand deliver at once, a bounded part of it each turn, the first first', () => {
    const { intake, turn } = world();
    const message = 13 * CHUNK;
    const senders = Array.from({ length: 1000 }, () => new Sender(intake, { bytes: message }));
    const delivered = () => senders.reduce((sum, { messages }) => sum + messages, 0);
    const turns: number[] = [];
    while (delivered() < senders.length) {
      const before = delivered();
      for (const sender of senders) sender.poll();
      turns.push(delivered() - before);
      turn();
      expect(turns.length).toBeLessThan(1000);
    }
    // A turn handles what it may read, and the one message that goes beyond.
    expect(Math.max(...turns)).toBeLessThanOrEqual(Math.ceil(READ_A_TURN / message) + 1);
    turn();
    expect(senders.some(({ paused }) => paused)).toBe(false);
    expect(senders.at(-1)?.excused).toBeGreaterThan(0);
  });

  it('hears small messages in the next turn, whoever else has much to send', () => {
    const { intake, turn } = world();
    const large = Array.from({ length: 100 }, () => new Sender(intake, { bytes: 16 * CHUNK }));
    const small = Array.from({ length: 100 }, () => new Sender(intake, { bytes: 100 }));
    for (const sender of [...large, ...small]) sender.poll();
    turn();
    for (const sender of small) sender.poll();
    expect(small.every(({ messages }) => messages === 1)).toBe(true);
  });

  it('lets the silent be while others deliver, and hears them a few turns after they speak', () => {
    const { intake, turn } = world();
    const large = Array.from({ length: 60 }, () => new Sender(intake, { bytes: 16 * CHUNK }));
    const silent = Array.from({ length: 100 }, () => new Sender(intake, { bytes: 0, message: 100 }));
    const delivered = () => large.reduce((sum, { messages }) => sum + messages, 0);
    let turns = 0;
    while (delivered() < large.length) {
      for (const sender of large) sender.poll();
      const speaker = silent[turns] as Sender;
      speaker.left = 100;
      speaker.poll();
      turn();
      expect(silent[turns - 4]?.messages ?? 1).toBe(1);
      expect(turns++).toBeLessThan(silent.length - 1);
    }
    expect(turns).toBeGreaterThan(20);
    // When they speak, and when all is over; not in every turn.
    for (const { resumed } of silent) expect(resumed).toBeLessThanOrEqual(4);
    turn();
    expect([...silent, ...large].some(({ paused }) => paused)).toBe(false);
  });

  it('holds large messages up while the disk lags behind, and nobody else', () => {
    const { intake, turn } = world();
    const release = intake.hold(MOST_HELD + 1);
    const large = new Sender(intake, { bytes: 16 * CHUNK });
    const small = new Sender(intake, { bytes: 100 });
    for (let i = 0; i < 50; i++) {
      large.poll();
      small.poll();
      turn();
    }
    expect([large.messages, small.messages]).toEqual([0, 1]);
    release();
    turn();
    large.poll();
    expect(large.messages).toBe(1);
  });

  it('finishes what has begun before more is begun, once too much is unfinished', () => {
    const { intake, turn, idle } = world();
    // Slow senders of large messages: none is ever complete.
    const half = 4 * BEGUN;
    const slow = Array.from(
      { length: MOST_UNFINISHED / half },
      () => new Sender(intake, { bytes: half, message: 2 * half }),
    );
    const poll = () => {
      for (let i = 0; i < 2 * slow.length; i++) {
        for (const sender of slow) sender.poll();
        if (!idle()) turn();
      }
    };
    poll();
    expect(slow.every(({ left }) => left === 0)).toBe(true);
    const late = Array.from(
      { length: 8 },
      () => new Sender(intake, { bytes: 8 * BEGUN, message: 16 * BEGUN }),
    );
    // Whichever turn it is that they come in, and however often they are looked at.
    for (const sender of late) {
      sender.poll();
      if (!idle()) turn();
    }
    for (let i = 0; i < 20; i++) {
      for (const sender of late) sender.poll();
      if (!idle()) turn();
    }
    for (const { paused, left } of late) {
      expect(paused).toBe(true);
      expect(8 * BEGUN - left).toBeLessThanOrEqual(BEGUN + CHUNK);
    }
    // One more is finished: there is room again.
    const [first, second] = slow as [Sender, Sender];
    first.left = half;
    second.left = half;
    poll();
    expect([first.messages, second.messages]).toEqual([1, 1]);
    expect(late.some(({ paused }) => paused)).toBe(false);
  });

  it('never leaves anybody waiting for nobody, whatever comes and goes', () => {
    const sender = fc.record({
      bytes: fc.integer({ min: 1, max: 3 * EXPECTED }),
      gone: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(sender, { minLength: 1, maxLength: 60 }), (all) => {
        const { intake, turn } = world();
        const senders = all.map(({ bytes, gone }) => ({ sender: new Sender(intake, { bytes }), gone }));
        for (const { sender } of senders) sender.poll();
        const stay = senders.filter(({ sender, gone }) => {
          if (gone) intake.gone(sender);
          return !gone;
        });
        for (let i = 0; i < 500 && stay.some(({ sender }) => sender.messages === 0); i++) {
          turn();
          for (const { sender } of stay) sender.poll();
        }
        expect(stay.every(({ sender }) => sender.messages > 0)).toBe(true);
      }),
      { numRuns: 60 },
    );
  });

  it('counts nothing of who is gone and still sends', () => {
    const { intake, turn } = world();
    const gone = new Sender(intake, {
      bytes: MOST_UNFINISHED + MOST_HELD,
      message: Number.POSITIVE_INFINITY,
    });
    intake.gone(gone);
    // It goes on for more than all others together may have unfinished.
    while (gone.poll() > 0) turn();
    expect(intake.size).toBe(0);
    const message = 2 * BEGUN;
    const other = new Sender(intake, { bytes: message });
    other.poll();
    turn();
    expect(other.messages).toBe(1);
  });
});
