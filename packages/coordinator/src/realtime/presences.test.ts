import type { Namespace } from 'socket.io';
import { describe, expect, it } from 'vitest';
import { Presences } from './presences.ts';
import { fakeSocket } from './socket.testing.ts';

/** Presences with the messages that were written, and the runs that remember each participant. */
function presences() {
  const written: { to: readonly string[]; name: string }[] = [];
  const remembered = new Map<string, string[]>();
  const namespace = {
    sockets: new Map(),
    to: (to: string[]) => ({ emit: (name: string) => void written.push({ to, name }) }),
  };
  return {
    it: new Presences(
      namespace as unknown as Namespace,
      (participant, run) => remembered.get(run)?.includes(participant) === true,
    ),
    written,
    remembered,
  };
}

describe('the bytes of a participant', () => {
  it('are counted over all of its connections, each once', () => {
    const { it: presence, remembered } = presences();
    const [first, second, third] = [fakeSocket(), fakeSocket(), fakeSocket()];
    remembered.set('r', ['a']);
    expect(presence.bytes('a')).toEqual({ up: 0, down: 0 });
    expect(presence.connect('a', first.socket)).toBeNull();
    presence.joined('a', 'r');
    Object.assign(first.bytes, { bytesRead: 10, bytesWritten: 1 });
    expect(presence.bytes('a')).toEqual({ up: 10, down: 1 });
    // A second connection takes the place of the first, and the end of that one changes nothing any more.
    expect(presence.connect('a', second.socket)).toBe(first.socket);
    Object.assign(second.bytes, { bytesRead: 200, bytesWritten: 20 });
    expect(presence.disconnect('a', first.socket)).toBeNull();
    expect(presence.socketOf('a')).toBe(second.socket);
    expect(presence.bytes('a')).toEqual({ up: 210, down: 21 });
    expect([...(presence.disconnect('a', second.socket) ?? [])]).toEqual(['r']);
    presence.forget('a');
    expect(presence.bytes('a')).toEqual({ up: 210, down: 21 });
    presence.connect('a', third.socket);
    Object.assign(third.bytes, { bytesRead: 3000, bytesWritten: 300 });
    expect(presence.bytes('a')).toEqual({ up: 3210, down: 321 });
  });

  it('are forgotten with a participant that no run tells of', () => {
    const { it: presence, remembered } = presences();
    for (const id of ['a', 'b', 'c']) {
      const { socket, bytes } = fakeSocket();
      bytes.bytesRead = 5;
      presence.connect(id, socket);
      presence.joined(id, 'r');
      if (id !== 'c') presence.disconnect(id, socket);
    }
    remembered.set('r', ['a']);
    for (const id of ['a', 'b', 'c']) presence.forget(id);
    expect(['a', 'b', 'c'].map((id) => presence.bytes(id).up)).toEqual([5, 0, 5]);
    // The run is over, and one is still connected.
    remembered.clear();
    presence.forgetAll();
    expect(['a', 'b', 'c'].map((id) => presence.bytes(id).up)).toEqual([0, 0, 5]);
    expect(presence.remembered).toBe(1);
  });

  it('do not pile up of participants that their run forgot after they went', () => {
    const { it: presence, remembered } = presences();
    const present: string[] = [];
    remembered.set('r', present);
    for (let n = 0; n < 10_000; n++) {
      const { socket } = fakeSocket();
      const id = String(n);
      present.push(id);
      presence.connect(id, socket);
      presence.joined(id, 'r');
      presence.disconnect(id, socket);
      presence.forget(id);
      // The run keeps the last ten.
      if (present.length > 10) present.shift();
    }
    expect(presence.remembered).toBeLessThan(200);
  });
});

it('writes to the connections that participants have now, and to nobody else', () => {
  const { it: presence, written } = presences();
  const [old, other] = [fakeSocket('old'), fakeSocket('other')];
  presence.connect('a', old.socket);
  presence.connect('a', fakeSocket('new').socket);
  presence.connect('b', other.socket);
  presence.disconnect('b', other.socket);
  presence.send(['a', 'b', 'unknown'], 'peers', { run: 'r', joined: 1, working: 0, done: 0 });
  expect(written).toEqual([{ to: ['new'], name: 'peers' }]);
  expect([...presence.sockets()].map(([id, { id: socket }]) => [id, socket])).toEqual([['a', 'new']]);
});
