import { PIECE_BYTES, type Up } from '@coppice/protocol';
import { expect, it } from 'vitest';
import { asking, ticketOf } from '../session-world.ts';
import { connectedLine } from './parts.testing.ts';
import { Progress } from './progress.ts';

function world() {
  const { line, peer, store, clock } = connectedLine();
  const told: Up<'progress'>[] = [];
  peer.answer('progress', (message) => {
    told.push(message);
    return { ok: true, value: null } as never;
  });
  const abort = new AbortController();
  const of = new Progress({ line, store, clock }).of(asking(2), abort.signal);
  return { of, told, store, clock, abort };
}

it('shows every step, and tells the coordinator twice a second at most', () => {
  const { of, told, store, clock } = world();
  const bytes = 2.5 * PIECE_BYTES;
  of.receiving(1, 3, bytes);
  clock.advance(499);
  of.receiving(2, 3, bytes);
  expect(store.state.activity).toEqual({ kind: 'receiving', round: 2, received: 2 * PIECE_BYTES, bytes });
  clock.advance(1);
  of.receiving(3, 3, bytes);
  expect(store.state.activity).toEqual({ kind: 'receiving', round: 2, received: bytes, bytes });
  const about = { run: 'r-1', ticket: ticketOf(2), stage: 'receiving', epoch: 0, epochs: 0, loss: null };
  expect(told).toEqual([
    { ...about, step: 1, steps: 3 },
    { ...about, step: 3, steps: 3 },
  ]);
});

it('tells no loss that the wire does not take', () => {
  const { of, told, store } = world();
  of.training({ epoch: 1, epochs: 2, step: 3, steps: 4, loss: Number.POSITIVE_INFINITY });
  expect(store.state.activity).toMatchObject({ kind: 'training', loss: Number.POSITIVE_INFINITY });
  expect(told).toMatchObject([{ stage: 'training', epoch: 1, step: 3, loss: null }]);
});

it('says nothing of work that was stopped', () => {
  const { of, told, store, abort } = world();
  abort.abort();
  const before = store.state;
  of.preparing();
  of.receiving(1, 3, 1);
  of.evaluating();
  of.training({ epoch: 1, epochs: 1, step: 1, steps: 1, loss: 1 });
  of.sendingBegan(1);
  of.sending(1, 1, 1);
  of.delivered();
  expect([store.state === before, told]).toEqual([true, []]);
});
