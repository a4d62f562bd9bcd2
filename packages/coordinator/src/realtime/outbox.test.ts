import fc from 'fast-check';
import { expect, it } from 'vitest';
import { BYTES_A_TURN, Outbox, WRITES_A_TURN } from './outbox.ts';

/** An outbox whose turns are taken by hand; what each turn wrote, as `[sockets, message]`. */
function world() {
  let waiting: (() => void)[] = [];
  const turns: [string[], unknown][][] = [[]];
  const outbox = new Outbox(
    (sockets, _name, message) => turns.at(-1)?.push([sockets, message]),
    (go) => waiting.push(go),
  );
  const turn = () => {
    const now = waiting;
    waiting = [];
    turns.push([]);
    for (const go of now) go();
  };
  return {
    outbox,
    turns,
    turn,
    finish() {
      while (waiting.length > 0) turn();
    },
  };
}

const notice = (text: string) => ({ code: 'internal' as const, message: text });
const ask = (bytes: number) => ({
  run: 'r-1',
  kind: 'train',
  ticket: 't1-1.x',
  round: 1,
  attempt: 1,
  remaining: 1,
  asked: 1,
  parcels: [{ name: 'model', hash: '0'.repeat(64), frame: new Uint8Array(bytes) }],
  given: {},
});
const sockets = (count: number) => Array.from({ length: count }, (_, i) => `socket ${i}`);

it('writes what is small and for few at once', () => {
  const { outbox, turns } = world();
  outbox.send(sockets(3), 'notice', notice('hello'));
  expect(turns).toEqual([[[sockets(3), notice('hello')]]]);
});

it('writes to everyone, once, in the order of asking, and never more in a turn than a turn may hold', () => {
  const sending = fc.record({
    count: fc.integer({ min: 0, max: 3 * WRITES_A_TURN }),
    bytes: fc.constantFrom(0, 1000, BYTES_A_TURN / 3, 2 * BYTES_A_TURN),
  });
  fc.assert(
    fc.property(fc.array(sending, { maxLength: 5 }), (sendings) => {
      const { outbox, turns, finish } = world();
      const expected = new Map<string, unknown[]>();
      for (const { count, bytes } of sendings) {
        const message = bytes === 0 ? notice('hello') : ask(bytes);
        for (const id of sockets(count)) expected.set(id, [...(expected.get(id) ?? []), message]);
        outbox.send(sockets(count), bytes === 0 ? 'notice' : 'ask', message as never);
      }
      finish();
      const heard = new Map<string, unknown[]>();
      for (const [ids, message] of turns.flat())
        for (const id of ids) heard.set(id, [...(heard.get(id) ?? []), message]);
      // By identity: one message, however many hear it.
      expect(heard.size).toBe(expected.size);
      for (const [id, messages] of expected) {
        expect(heard.get(id)?.length).toBe(messages.length);
        for (const [i, message] of messages.entries()) expect(heard.get(id)?.[i]).toBe(message);
      }
      for (const turn of turns) {
        const writes = turn.reduce((sum, [ids]) => sum + ids.length, 0);
        const frames = turn.flatMap(([ids, message]) => {
          const { parcels = [] } = message as { parcels?: { frame: Uint8Array }[] };
          return parcels.flatMap(({ frame }) => ids.map(() => frame.byteLength));
        });
        expect(writes).toBeLessThanOrEqual(WRITES_A_TURN);
        // One goes through in any case, however large.
        if (frames.length > 1)
          expect(frames.reduce((sum, bytes) => sum + bytes)).toBeLessThanOrEqual(BYTES_A_TURN);
      }
    }),
    { numRuns: 30 },
  );
});

it('forgets what it is told to forget', () => {
  const { outbox, turns, finish } = world();
  outbox.send(sockets(2 * WRITES_A_TURN), 'notice', notice('hello'));
  outbox.clear();
  finish();
  expect(turns.flat().flatMap(([ids]) => ids)).toEqual(sockets(WRITES_A_TURN));
});

it.each([0, 1000, BYTES_A_TURN / 3, 2 * BYTES_A_TURN])(
  'holds a turn to its most where each socket has a message of its own, of %i bytes',
  (bytes) => {
    const { outbox, turns, finish } = world();
    for (const id of sockets(3 * WRITES_A_TURN))
      outbox.send([id], bytes === 0 ? 'notice' : 'ask', (bytes === 0 ? notice(id) : ask(bytes)) as never);
    finish();
    expect(turns.flat().map(([ids]) => ids)).toEqual(sockets(3 * WRITES_A_TURN).map((id) => [id]));
    for (const turn of turns) {
      expect(turn.length).toBeLessThanOrEqual(WRITES_A_TURN);
      expect(turn.length * bytes <= BYTES_A_TURN || turn.length === 1).toBe(true);
    }
  },
);
