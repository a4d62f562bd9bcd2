import { afterEach, expect, it } from 'vitest';
import { type Coordinator, startCoordinator } from '../coordinator.ts';
import { memoryStorage } from '../storage/memory.ts';
import { memorySpool } from '../storage/memory-spool.ts';
import { type Connected, connectParticipant } from './participant.testing.ts';

let coordinator: Coordinator;
let one: Connected;
afterEach(async () => {
  one.socket.disconnect();
  await coordinator.close();
});

it('answers a second proof like the first, and welcomes once', async () => {
  coordinator = await startCoordinator({
    config: { port: 0, logLevel: 'silent' },
    storage: memoryStorage(),
    spool: memorySpool(),
  });
  one = await connectParticipant(coordinator.url);
  const { socket, proof } = one;
  const events: string[] = [];
  socket.onAny((name: string) => events.push(name));
  // As after a reply that was lost; and one that proves nothing changes nothing either.
  for (const again of [proof, { signature: 'A'.repeat(86) }, null])
    expect(await socket.timeout(60_000).emitWithAck('prove', again)).toEqual({ ok: true, value: null });
  // The connection goes on.
  expect(await socket.emitWithAck('watch', { runs: [], arrivals: false })).toEqual({
    ok: true,
    value: { runs: [] },
  });
  expect(events).toEqual([]);
});
