import { strategyOf } from '@coppice/federation';
import {
  completePlan,
  decodeFrame,
  decodeHeader,
  frameBytes,
  type Layout,
  layoutHash,
  modelParts,
  payloadBytes,
  readFloat32Payload,
  weightsHash,
} from '@coppice/protocol';
import { describe, expect, it } from 'vitest';
import { id, world } from './run-world.ts';

const layout: Layout = [
  { name: 'head', shape: [1], trainable: true },
  { name: 'base', shape: [1], trainable: false, frozen: true },
  { name: 'mean', shape: [1], trainable: false },
];

it.each(['fedavg', 'fedadam', 'scaffold', 'median'] as const)(
  'moves nothing that is frozen, and takes no numbers of it: %s',
  async (strategy) => {
    const plan = completePlan({}, { strategy, rounds: 1, evaluationShare: 0, minParticipants: 3 });
    const w = await world(plan, { layout, strategy: strategyOf(plan) });
    for (const n of [1, 2, 3]) w.join(n);
    const [head, base, mean] = w.join(1).answers.train;
    expect([head?.role, base?.role, mean?.role]).toEqual(['step', 'frozen', 'average']);
    expect(base).toMatchObject({ name: 'base', shape: [1] });
    await w.engine.act('start');
    const more = strategy === 'scaffold' ? [[0.5]] : [];
    for (const n of [1, 2, 3]) {
      const answer = w.answerOf(id(n), [n / 2, n / 4], 1, { evaluation: null, more });
      await w.engine.answer(id(n), answer);
    }
    await w.settled();
    const { weights } = (await w.storage.latest('toy-1')) ?? {};
    expect(weights?.[0]).toBeGreaterThan(1);
    expect(weights?.[1]).toBe(2);
    expect(weights?.[2]).toBe(3.5);
    const { state } = (await w.storage.latest('toy-1')) ?? {};
    // Tensors beside the model say nothing of frozen ones, and so have no numbers of them.
    for (const given of Object.values((state && w.forms.strategy.server.given?.(state)) ?? {}))
      expect(given[1]).toBe(0);
  },
);

it('requires participants that leave frozen numbers out', async () => {
  expect((await world({}, { layout })).engine.requires).toEqual(['role:frozen']);
  expect((await world()).engine.requires).toEqual([]);
});

describe('questions about a model of which a part is frozen', () => {
  const { moving, frozen } = modelParts(layout) as { moving: Layout; frozen: Layout };
  const expected = { kind: 'weights', layoutHash: layoutHash(moving), parameters: 2, trainable: 1 } as const;
  const alone = {
    kind: 'weights',
    layoutHash: layoutHash(frozen),
    parameters: 1,
    separate: true,
  } as const;
  const floats = (...values: number[]) => Float32Array.of(...values);

  it('bring the moving part, and the header of the frozen one, under the same name in every round', async () => {
    const w = await world({ rounds: 2, minParticipants: 1, normFactor: null, firstNorm: null }, { layout });
    w.join(1);
    await w.engine.act('start');
    const names = new Set<string>();
    for (const [model, delta] of [
      [floats(1, 2, 3), [0.5, -1]],
      [floats(1.5, 2, 2), [2, 2]],
    ] as const) {
      const [first, second, ...others] = w.lastAsk().message.parcels;
      expect(others).toEqual([]);
      expect(first).toMatchObject({ name: 'model', hash: weightsHash(model) });
      const [head, , mean] = model as unknown as [number, number, number];
      const numbers = readFloat32Payload(decodeFrame(frameBytes(first?.frame as Uint8Array), expected));
      expect(numbers).toEqual(floats(head, mean));
      expect(first?.moving).toBe(weightsHash(floats(head, mean)));
      expect(second).toMatchObject({ name: 'frozen', hash: weightsHash(floats(2)) });
      expect(decodeHeader(frameBytes(second?.frame as Uint8Array), alone).payloadBytes).toBe(4);
      names.add(second?.hash as string);
      // Each by its own name, and the whole by the model's.
      const bytes = (hash: string) => [...w.engine.parcel(hash, 'float32').payload];
      expect(bytes(first?.moving as string)).toHaveLength(8);
      expect(bytes(second?.hash as string)).toHaveLength(4);
      expect(bytes(first?.hash as string)).toHaveLength(12);
      expect(() => w.engine.parcel(second?.hash as string, 'int8')).toThrow(/does not travel/);
      await w.answers(1, delta);
      await w.settled();
    }
    expect(names.size).toBe(1);
    expect((await w.storage.latest('toy-1'))?.weights).toEqual(floats(3.5, 2, 4));
    // The last model is measured.
    const [last] = w.asks('evaluate').at(-1)?.message.parcels ?? [];
    expect(last?.hash).toBe(weightsHash(floats(3.5, 2, 4)));
  });

  it('are rounded without the frozen part, which comes as it is', async () => {
    const w = await world({ minParticipants: 1, downloadCodec: 'int8' }, { layout });
    w.join(1);
    await w.engine.act('start');
    const [model] = w.lastAsk().message.parcels;
    const { payload } = decodeFrame(frameBytes(model?.frame as Uint8Array), { ...expected, codec: 'int8' });
    expect(payload.byteLength).toBe(payloadBytes('int8', { parameters: 2, trainable: 1 }));
    expect(model?.moving).toBe(weightsHash(floats(1, 3)));
  });

  it('are whole where they are pulled, and in parts for those that ask for them', async () => {
    const w = await world({}, { layout });
    const whole = w.engine.currentModel(id(1), null);
    expect(Object.keys(whole).toSorted()).toEqual(['checkpoint', 'frame', 'round']);
    expect(frameBytes(whole.frame).byteLength).toBe(40 + 12);
    const inParts = w.engine.currentModel(id(1), null, true);
    expect(inParts).toMatchObject({
      checkpoint: whole.checkpoint,
      moving: weightsHash(floats(1, 3)),
      frozen: { hash: weightsHash(floats(2)) },
    });
    const undivided = await world();
    const pulled = undivided.engine.currentModel(id(1), null, true);
    expect(Object.keys(pulled).toSorted()).toEqual(['checkpoint', 'frame', 'round']);
  });

  it('have the same frozen numbers to the bit after a restart, the sign of a zero included', async () => {
    const weights = floats(1, -0, 3);
    const w = await world({ rounds: 3, minParticipants: 1 }, { layout });
    const other = await w.restart({ weights });
    other.join(1);
    await other.engine.act('start');
    const frozenOf = (one: typeof other) => one.lastAsk().message.parcels[1]?.hash;
    expect(frozenOf(other)).toBe(weightsHash(floats(-0)));
    await other.answers(1, [0.25, 0.25]);
    await other.settled();
    expect(frozenOf(other)).toBe(weightsHash(floats(-0)));
    expect(other.lastAsk().message.round).toBe(2);
    expect((await other.storage.latest('toy-1'))?.weights).toEqual(floats(1.25, -0, 3.25));
  });
});
