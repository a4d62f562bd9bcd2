import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Strategy } from '@coppice/federation';
import {
  type Ask,
  decodeFrame,
  float32Payload,
  frameBytes,
  layoutHash,
  readFloat32Payload,
  weightsHash,
} from '@coppice/protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { median } from '../../../federation/src/strategies/median.ts';
import { scaffold } from '../../../federation/src/strategies/scaffold.ts';
import { fileSpool } from '../storage/file-spool.ts';
import { memoryStorage } from '../storage/memory.ts';
import { memorySpool } from '../storage/memory-spool.ts';
import type { Spool } from '../storage/spool.ts';
import type { Storage } from '../storage/storage.ts';
import { pieceOfModel } from './packed-model.ts';
import { id, launch, layout, leftIn, world } from './run-world.ts';

/*
 * Strategies that need more than the mean of the model's changes: tensors of their own both ways, memory, every answer by
 * itself. All numbers are sums of powers of two, so that what is expected can be told without rounding.
 */

type World = Awaited<ReturnType<typeof world>>;

const PARTICIPANTS = [1, 2, 3];
const ROUNDS = 3;
const plan = { rounds: ROUNDS, minParticipants: 3, quorum: 1 };

const changeOf = (round: number, n: number) => [n / 4, -round / 8, (n * round) / 16];
/** Back and forth, so that the sum stays within what the changes themselves bound. */
const controlOf = (round: number, n: number) =>
  [n / 2, round, -n / 8].map((value) => (round % 2 === 0 ? -value : value));
/** Examples, together a power of two. */
const weightOf = (n: number) => [0, 1, 2, 5][n] as number;

const strategies = {
  scaffold: () => scaffold(),
  median: () => median(),
} satisfies Record<string, () => Strategy>;
type Name = keyof typeof strategies;

/** A model and a server's control variate after some rounds, by the strategies' formulas. */
function expected(name: Name, rounds: number): { weights: number[]; control: number[] } {
  const weights = [1, 2, 3];
  const control = [0, 0, 0];
  for (let round = 1; round <= rounds; round++)
    for (let i = 0; i < 3; i++) {
      const changes = PARTICIPANTS.map((n) => changeOf(round, n)[i] as number);
      const sum = PARTICIPANTS.reduce((all, n) => all + weightOf(n) * (changeOf(round, n)[i] as number), 0);
      const middle = changes.toSorted((a, b) => a - b)[1] as number;
      weights[i] = (weights[i] as number) + (name === 'median' ? middle : sum / 8);
      // Of 3 participants, all of which answered.
      control[i] =
        (control[i] as number) +
        PARTICIPANTS.reduce((all, n) => all + (controlOf(round, n)[i] as number), 0) / 3;
    }
  return { weights, control };
}

/** An answer to the last question of a participant. */
function answerOf(w: World, name: Name, n: number) {
  const { round } = w.lastAsk().message;
  const more = name === 'scaffold' ? [controlOf(round, n)] : [];
  return w.answerOf(id(n), changeOf(round, n), weightOf(n), { more });
}

const answer = (w: World, name: Name, n: number) => w.engine.answer(id(n), answerOf(w, name, n));

const spools = {
  memory: {
    open: (_folder: string): Spool => memorySpool(),
    again: async (spool: Spool, _: string) => spool,
  },
  files: {
    open: (folder: string) => fileSpool(folder),
    again: async (spool: Spool, folder: string) => {
      await spool.close();
      return fileSpool(folder);
    },
  },
};

describe.each(Object.keys(strategies) as Name[])('%s', (name) => {
  describe.each(Object.keys(spools) as (keyof typeof spools)[])('with a spool in %s', (kind) => {
    let folder = '';
    beforeEach(() => {
      folder = mkdtempSync(join(tmpdir(), 'strategies-'));
    });
    afterEach(() => rmSync(folder, { recursive: true }));

    const begin = async (storage = memoryStorage(), spool = spools[kind].open(folder)) => {
      const strategy = strategies[name]();
      if ((await storage.runs()).length === 0) await launch(storage, plan);
      const left = await leftIn(storage, spool);
      // A launch stores the memory that a strategy begins with; this one was stored without.
      const model =
        left.model?.round === 0
          ? { ...left.model, state: strategy.server.init({ layout, weights: left.model.weights }) }
          : left.model;
      let killed = false;
      // A killed process stores nothing more, whatever fails in it.
      const own = new Proxy(storage, {
        get:
          (of, key) =>
          (...given: unknown[]) =>
            killed
              ? new Promise(() => {})
              : (of[key as keyof Storage] as (...given: unknown[]) => unknown)(...given),
      });
      const w = await world(plan, {
        left: { ...left, storage: own, ...(model === undefined ? {} : { model }) },
        strategy,
      });
      await w.engine.resumeAfterRestart();
      const kill = () => {
        killed = true;
      };
      return { w, storage, spool, kill };
    };
    const committed = (w: World, round: number) => expect.poll(() => w.engine.summary().round).toBe(round);

    it('makes the models that its formula says', async () => {
      const { w, storage, spool } = await begin();
      for (const n of PARTICIPANTS) w.join(n);
      await w.engine.act('start');
      for (let round = 1; round <= ROUNDS; round++) {
        // The last answer closes the exchange before it is on disk.
        await Promise.all([3, 1, 2].map((n) => answer(w, name, n)));
        await committed(w, round);
        const latest = await storage.latest('toy-1');
        const { weights, control } = expected(name, round);
        expect([...(latest?.weights ?? [])]).toEqual(weights.map(Math.fround));
        if (name === 'scaffold')
          for (const [i, value] of control.entries())
            expect(latest?.state.tensors['control']?.[i]).toBeCloseTo(value, 5);
      }
      expect(w.rounds.filter(({ outcome }) => outcome === 'abandoned')).toEqual([]);
      await spool.close();
    });

    it.each([0, 1, 2, 3])(
      'ends with the same bits where it is killed after %i answers of each round',
      async (kills) => {
        const undisturbed = await begin();
        for (const n of PARTICIPANTS) undisturbed.w.join(n);
        await undisturbed.w.engine.act('start');
        for (let round = 1; round <= ROUNDS; round++) {
          for (const n of PARTICIPANTS) await answer(undisturbed.w, name, n);
          await committed(undisturbed.w, round);
        }
        await undisturbed.spool.close();

        const other = mkdtempSync(join(folder, 'killed-'));
        let { w, storage, spool, kill } = await begin(memoryStorage(), spools[kind].open(other));
        for (const n of PARTICIPANTS) w.join(n);
        await w.engine.act('start');
        for (let round = 1; round <= ROUNDS; round++) {
          const order = [2, 3, 1];
          const commit = storage.commit;
          storage.commit = () => new Promise(() => {});
          for (const n of order.slice(0, kills)) await answer(w, name, n);
          await w.settled();
          // No word: what is on disk is all that is left.
          kill();
          storage.commit = commit;
          spool = await spools[kind].again(spool, other);
          ({ w, kill } = await begin(storage, spool));
          for (const n of PARTICIPANTS) w.join(n);
          for (const n of order.slice(kills)) await answer(w, name, n);
          await committed(w, round);
        }
        const [a, b] = [await undisturbed.storage.latest('toy-1'), await storage.latest('toy-1')];
        expect(b?.checkpoint.hash).toBe(a?.checkpoint.hash);
        expect(b?.state).toEqual(a?.state);
        await spool.close();
      },
    );
  });
});

describe('what a strategy gives', () => {
  const controlIn = ({ parcels }: Ask) => parcels[1] as Ask['parcels'][number];
  const valuesOf = (frame: Uint8Array | ArrayBuffer) =>
    readFloat32Payload(
      decodeFrame(frameBytes(frame), { kind: 'weights', layoutHash: layoutHash(layout), parameters: 3 }),
    );

  it('goes with every question, exact whatever the model’s codec, by its hash, and can be asked for', async () => {
    const w = await world({ ...plan, downloadCodec: 'int8' }, { strategy: scaffold() });
    for (const n of PARTICIPANTS) w.join(n);
    await w.engine.act('start');
    const first = w.lastAsk().message;
    expect(first.parcels.map(({ name }) => name)).toEqual(['model', 'control']);
    expect([...valuesOf(controlIn(first).frame)]).toEqual([0, 0, 0]);
    for (const n of PARTICIPANTS) await answer(w, 'scaffold', n);
    await w.settled();
    const second = w.lastAsk().message;
    expect(second.round).toBe(2);
    const control = (await w.storage.latest('toy-1'))?.state.tensors['control'] as Float32Array;
    expect(valuesOf(controlIn(second).frame)).toEqual(control);
    expect(controlIn(second).hash).toBe(weightsHash(control));
    expect(pieceOfModel(w.engine.parcel(controlIn(second).hash, 'float32'), 0)).toEqual(
      float32Payload(control),
    );
    expect(() => pieceOfModel(w.engine.parcel(controlIn(first).hash, 'float32'), 0)).toThrow(
      expect.objectContaining({ code: 'checkpoint-unknown' }),
    );
    // Asked again, the same.
    w.engine.connectionLost(id(1));
    w.join(1);
    expect(w.lastAsk().message.parcels).toEqual(second.parcels);
  });

  it('is nothing to measure with: the closing evaluation sends the model alone', async () => {
    const w = await world({ ...plan, rounds: 1 }, { strategy: scaffold() });
    for (const n of PARTICIPANTS) w.join(n);
    await w.engine.act('start');
    for (const n of PARTICIPANTS) await answer(w, 'scaffold', n);
    await w.settled();
    for (const { message } of w.asks('evaluate'))
      expect(message.parcels.map(({ name }) => name)).toEqual(['model']);
    expect(w.asks('evaluate')).toHaveLength(3);
  });

  it('is counted by its own group: one that is wrong there counts nowhere', async () => {
    const w = await world(plan, { strategy: scaffold({ controlNorm: 4 }) });
    for (const n of PARTICIPANTS) w.join(n);
    await w.engine.act('start');
    const wrong = w.answerOf(id(1), [1, 1, 1], 1, { more: [[9, 0, 0]] });
    await expect(w.engine.answer(id(1), wrong)).rejects.toMatchObject({ code: 'update-norm' });
    const short = { ...wrong, ticket: w.ticketOf(id(2)), frame: frameBytes(wrong.frame).subarray(0, -4) };
    await expect(w.engine.answer(id(2), short)).rejects.toMatchObject({ code: 'frame-invalid' });
    expect(w.engine.openRound()).toMatchObject({ accepted: 0, examples: 0, refused: 2 });
  });
});
