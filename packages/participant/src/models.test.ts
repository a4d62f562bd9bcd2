import {
  type Ask,
  type Codec,
  crc32,
  defaultPlan,
  encodeFrame,
  encodeHeader,
  FROZEN_PARCEL,
  float32Payload,
  type Layout,
  layoutHash,
  PIECE_BYTES,
  pieceOf,
  travelling,
  type Up,
  weightsHash,
} from '@coppice/protocol';
import { describe, expect, it } from 'vitest';
import type { KeptParcels } from './kept-parcels.ts';
import { Models } from './models.ts';
import type { Transport } from './transport.ts';

/* Parcels beside the model, each of three pieces. */
const PARAMETERS = 600_000;
const layout: Layout = [{ name: 'w', shape: [PARAMETERS], trainable: true }];
const tensor = (seed: number) => Float32Array.from({ length: PARAMETERS }, (_, i) => (i * seed) % 97);
const parcelOf = (name: string, values: Float32Array) => ({
  name,
  hash: weightsHash(values),
  frame: travelling(
    encodeFrame({
      kind: 'weights',
      codec: 'float32',
      layoutHash: layoutHash(layout),
      parameters: PARAMETERS,
      payload: float32Payload(values),
    }),
  ),
});
const [model, control, momentum] = [tensor(3), tensor(5), tensor(7)];
const ask: Ask = {
  run: 'r-1',
  kind: 'train',
  ticket: 't1-1.seal',
  round: 1,
  attempt: 1,
  remaining: 1000,
  asked: 1,
  parcels: [parcelOf('model', model), parcelOf('control', control), parcelOf('momentum', momentum)],
  given: {},
};

/** Models over a coordinator that has these tensors; it is told of every piece that is asked for. */
function world() {
  const asked: Up<'parcel'>[] = [];
  const byHash = new Map([model, control, momentum].map((values) => [weightsHash(values), values]));
  const request = async (_name: string, message: Up<'parcel'>) => {
    asked.push(message);
    const values = byHash.get(message.hash);
    if (values === undefined) return { ok: false, error: { code: 'checkpoint-unknown', message: 'Gone.' } };
    return { ok: true, value: { bytes: pieceOf(float32Payload(values), message.piece) } };
  };
  const models = new Models({
    pull: () => Promise.reject(new Error('nothing is pulled')),
    request: request as never as Transport['request'],
    joined: () => ({ run: 'r-1', plan: defaultPlan, layout }),
  });
  return { models, asked };
}

it('receives the model, then the parcels beside it by name, each in pieces', async () => {
  const { models, asked } = world();
  const heard: number[] = [];
  const received = await models.receive(ask, 0, { onPiece: (done) => heard.push(done) });
  expect(received.model).toEqual({ round: 0, checkpoint: weightsHash(model), weights: model });
  expect(received.given).toEqual({ control, momentum });
  expect(asked.map(({ hash, piece }) => [hash, piece])).toEqual(
    ask.parcels.flatMap(({ hash }) => [0, 1, 2].map((piece) => [hash, piece])),
  );
  expect(asked.every(({ run, codec }) => run === 'r-1' && codec === 'float32')).toBe(true);
  expect(Math.ceil((PARAMETERS * 4) / PIECE_BYTES)).toBe(3);
  expect(heard).toEqual([0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3]);
});

it('fetches no parcel that is kept', async () => {
  const { models, asked } = world();
  models.keep({ round: 0, checkpoint: weightsHash(model), weights: model });
  await models.receive(ask, 0);
  expect(new Set(asked.map(({ hash }) => hash))).toEqual(
    new Set([weightsHash(control), weightsHash(momentum)]),
  );
});

it('is refused where a parcel is not a current one any more', async () => {
  const { models } = world();
  const other = { ...ask, parcels: [parcelOf('model', tensor(11))] };
  await expect(models.receive(other, 0)).rejects.toMatchObject({ code: 'checkpoint-unknown' });
});

it('reads no question without a model, and no steps of another parcel', async () => {
  const { models } = world();
  const without = { ...ask, parcels: ask.parcels.slice(1) };
  await expect(models.receive(without, 0)).rejects.toMatchObject({ code: 'message-invalid' });
  const [first, second] = ask.parcels as [Ask['parcels'][number], Ask['parcels'][number]];
  const steps = { ...ask, parcels: [first, { ...second, base: first.hash }] };
  await expect(models.receive(steps, 0)).rejects.toMatchObject({ code: 'message-invalid' });
});

describe('a model of which a part is frozen', () => {
  /* The moving part has three pieces; the frozen one would fit into a message. */
  const inParts: Layout = [
    { name: 'w', shape: [PARAMETERS], trainable: true },
    { name: 'base', shape: [3], trainable: false, frozen: true },
  ];
  const [moving, frozen] = [tensor(3), Float32Array.of(7, -0, 9)];
  const followed = (values: Float32Array, by: Float32Array) => {
    const all = new Float32Array(PARAMETERS + by.length);
    all.set(values);
    all.set(by, PARAMETERS);
    return all;
  };
  const whole = followed(moving, frozen);
  const hash = weightsHash(whole);
  const payload = float32Payload(frozen);
  const header = encodeHeader({
    kind: 'weights',
    codec: 'float32',
    layoutHash: layoutHash(inParts.slice(1)),
    parameters: 3,
    payloadBytes: payload.byteLength,
    payloadChecksum: crc32(payload),
  });
  const ofFrozen = { name: FROZEN_PARCEL, hash: weightsHash(frozen), frame: header };
  const { hash: movingHash, frame } = parcelOf('model', moving);
  const ofModel = { name: 'model', hash, moving: movingHash, frame };
  const question: Ask = { ...ask, parcels: [ofModel, ofFrozen] };

  /** Models over a coordinator that has these tensors. @param served other bytes under a name. */
  function partsWorld({
    kept,
    served = new Map(),
    joined = () => true,
  }: {
    kept?: KeptParcels;
    served?: ReadonlyMap<string, Uint8Array>;
    joined?: () => boolean;
  } = {}) {
    const asked: { hash: string; piece: number; codec: Codec | undefined }[] = [];
    const pulls: Up<'pull'>[] = [];
    const byHash = new Map([moving, frozen, whole, control].map((values) => [weightsHash(values), values]));
    const request = async (_name: string, { hash, piece, codec }: Up<'parcel'>) => {
      asked.push({ hash, piece, codec });
      const bytes = served.get(hash) ?? float32Payload(byHash.get(hash) as Float32Array);
      return { ok: true, value: { bytes: pieceOf(bytes, piece) } };
    };
    const wholeFrame = encodeFrame({
      kind: 'weights',
      codec: 'float32',
      layoutHash: layoutHash(inParts),
      parameters: whole.length,
      payload: float32Payload(whole),
    });
    const models = new Models({
      pull: async (message) => {
        pulls.push(message);
        const about = { round: 1, checkpoint: hash };
        return message.parts === true
          ? { ...about, moving: movingHash, frame, frozen: ofFrozen }
          : { ...about, frame: travelling(wholeFrame) };
      },
      request: request as never as Transport['request'],
      joined: () => (joined() ? { run: 'r-1', plan: defaultPlan, layout: inParts } : null),
      kept,
    });
    const fetched = (name: string) => asked.filter((one) => one.hash === name).length;
    return { models, asked, pulls, fetched };
  }

  it('is put together, and its frozen part is fetched once', async () => {
    const { models, fetched } = partsWorld();
    for (const round of [0, 1, 2]) {
      const { model } = await models.receive({ ...question, round }, round);
      expect(model.checkpoint).toBe(hash);
      expect(model.weights).toEqual(whole);
    }
    expect(fetched(ofFrozen.hash)).toBe(1);
    expect(fetched(movingHash)).toBe(9);
    expect(fetched(hash)).toBe(0);
  });

  it('is fetched once, though two ask for it at a time', async () => {
    const { models, fetched, pulls } = partsWorld();
    const [{ model }, pulled] = await Promise.all([models.receive(question, 0), models.pull('r-1')]);
    expect([model.weights, pulled.weights]).toEqual([whole, whole]);
    expect(fetched(ofFrozen.hash)).toBe(1);
    expect(pulls).toEqual([{ run: 'r-1', parts: true }]);
  });

  it('is not fetched for one that looked on the device while it came for another', async () => {
    const looked: (() => void)[] = [];
    const get = () => new Promise<null>((resolve) => looked.push(() => resolve(null)));
    const { models, fetched } = partsWorld({ kept: { get, put: async () => {} } });
    const [first, second] = [models.receive(question, 0), models.receive(question, 0)];
    await expect.poll(() => looked.length).toBe(2);
    looked[0]?.();
    expect((await first).model.weights).toEqual(whole);
    looked[1]?.();
    expect((await second).model.weights).toEqual(whole);
    expect(fetched(ofFrozen.hash)).toBe(1);
  });

  it('is fetched once, at whatever moment of the first fetch another asks', async () => {
    for (let moments = 0; moments < 16; moments++) {
      const { models, fetched } = partsWorld({ kept: { get: async () => null, put: async () => {} } });
      const first = models.receive(question, 0);
      for (let moment = 0; moment < moments; moment++) await null;
      const second = await models.receive(question, 0);
      expect([(await first).model.weights, second.model.weights]).toEqual([whole, whole]);
      expect(fetched(ofFrozen.hash), `after ${moments}`).toBe(1);
    }
  });

  it('is not fetched where the device keeps it, but where that is damaged, or cannot be read', async () => {
    const put: string[] = [];
    const keeping = (get: KeptParcels['get']): KeptParcels => ({
      get,
      put: async (name) => void put.push(name),
    });
    const here = partsWorld({ kept: keeping(async () => frozen.slice()) });
    expect((await here.models.receive(question, 0)).model.weights).toEqual(whole);
    expect(here.fetched(ofFrozen.hash)).toBe(0);
    expect(put).toEqual([]);
    for (const get of [
      async () => Float32Array.of(7, 8, 9),
      async () => new Float32Array(2),
      async () => null,
      () => Promise.reject(new Error('forbidden')),
    ] satisfies KeptParcels['get'][]) {
      put.length = 0;
      const other = partsWorld({ kept: keeping(get) });
      expect((await other.models.receive(question, 0)).model.weights).toEqual(whole);
      expect(other.fetched(ofFrozen.hash)).toBe(1);
      expect(put).toEqual([ofFrozen.hash]);
    }
  });

  it('is taken from a model that came whole before the run was joined', async () => {
    let joined = false;
    const { models, fetched, pulls } = partsWorld({ joined: () => joined });
    models.keep(await models.pull('r-1'));
    expect(pulls).toEqual([{ run: 'r-1' }]);
    joined = true;
    expect((await models.receive(question, 0)).model.weights).toEqual(whole);
    expect(fetched(ofFrozen.hash)).toBe(0);
  });

  it('is not used where a part or the whole is another than its hash names', async () => {
    const other = Float32Array.of(1, 2, 3);
    const madeUp = { ...ofFrozen, hash: weightsHash(other) };
    const served = new Map([[madeUp.hash, payload]]);
    const { models } = partsWorld({ served });
    const refused = { code: 'frame-invalid' };
    const parcels: Ask['parcels'] = [ofModel, madeUp];
    await expect(models.receive({ ...question, parcels }, 0)).rejects.toMatchObject(refused);
    const wrong: Ask['parcels'] = [{ ...ofModel, hash: 'ab'.repeat(32) }, ofFrozen];
    await expect(models.receive({ ...question, parcels: wrong }, 0)).rejects.toMatchObject(refused);
    const lacking: Ask['parcels'] = [ofModel];
    const unusable = { code: 'message-invalid' };
    await expect(models.receive({ ...question, parcels: lacking }, 0)).rejects.toMatchObject(unusable);
  });

  it('has strategies’ tensors beside it that are 0 where it is frozen', async () => {
    const { models } = partsWorld();
    const parcels: Ask['parcels'] = [ofModel, ofFrozen, parcelOf('control', control)];
    const { given } = await models.receive({ ...question, parcels }, 0);
    expect(given).toEqual({ control: followed(control, new Float32Array(3)) });
  });
});
