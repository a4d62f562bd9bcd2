import { weightsHash } from '@coppice/protocol';
import { expect, it } from 'vitest';
import type { LocalState } from './local-state.ts';
import { memoryState } from './memory-state.ts';
import {
  asking,
  checkpoint,
  doing,
  ending,
  frame,
  frameOf,
  scripted,
  ticketOf,
  until,
  world,
} from './session-world.ts';

/*
 * SCAFFOLD's control variate over the ends of sessions. Each training moves both weights by 0.5 in one step of rate 0.5, so
 * that a device's variate (option II) becomes −1 less the server's: the next training's offset tells which one it began
 * from.
 */
const plan = { strategy: 'scaffold', learningRate: 0.5, epochs: 1 } as const;
const server = Float32Array.of(0.25, -0.25);

/** A session and the offsets that its trainings were given. */
async function observed(localState: LocalState) {
  const trainer = scripted();
  const offsets: number[][] = [];
  const { train } = trainer;
  trainer.train = (data, how, options) => {
    offsets.push([...(options?.objective?.offset ?? [])]);
    return train(data, how, options);
  };
  return { ...(await world({ plan, localState, trainer })), offsets };
}

async function delivered({ session, peer }: Awaited<ReturnType<typeof observed>>, round: number) {
  const parcels = [
    { name: 'model', hash: checkpoint, frame },
    { name: 'control', hash: weightsHash(server), frame: frameOf(server) },
  ];
  peer.push('ask', asking(round, { parcels }));
  await until(session, ({ activity }) => activity.kind === 'delivered' && activity.round === round);
}

it.each([
  ['counted', true, [1.5, 0.5]],
  ['did not count', false, [0.25, -0.25]],
] as const)('is that of the last answer where that %s', async (_what, verdict, second) => {
  const state = memoryState();
  const before = await observed(state);
  await before.enter();
  await delivered(before, 1);
  expect(before.offsets).toEqual([[0.25, -0.25]]);
  // cᵢ⁺ − cᵢ = 0 − c + (x − y) / (K η): −1.25 and −0.75.
  expect(before.answered()[0]?.vectors).toEqual({ model: [0.5, 0.5], control: [-1.25, -0.75] });
  const w = await observed(state);
  w.counted.set(ticketOf(1), verdict);
  await w.enter();
  await delivered(w, 2);
  expect(w.offsets).toEqual([second]);
  w.peer.push('round-end', ending(2));
  await until(w.session, doing('waiting'));
});
