import {
  type Ask,
  defaultPlan,
  encodeFrame,
  float32Payload,
  type Layout,
  layoutHash,
  PIECE_BYTES,
  pieceOf,
  travelling,
  type Up,
  weightsHash,
} from '@coppice/protocol';
import { expect, it } from 'vitest';
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
