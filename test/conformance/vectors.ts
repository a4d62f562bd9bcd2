import { createPublicKey, verify } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import {
  ExactAccumulator,
  encodeInSteps,
  encodeValues,
  finish,
  payloadValues,
  takeSteps,
  toFloat32,
} from '@coppice/federation';
import {
  type Codec,
  codecs,
  encodeFrame,
  type FrameKind,
  float32Payload,
  type Layout,
  layoutHash,
  modelSize,
  proofBytes,
  weightsHash,
} from '@coppice/protocol';
import { keysFrom } from './raw-identity.ts';
import { randomBits } from './raw-participant.ts';

/*
 * The worked examples of docs/protocol.md, and further ones, as the product computes them: docs/vectors.json. Run this
 * file, and then `pnpm format`, to write it; `vectors.test.ts` holds it against the page, and against a reader that is written from the page.
 */
export const file = new URL('../../docs/vectors.json', import.meta.url);

/** Bytes as they stand on the page. */
const hex = (bytes: Uint8Array) =>
  Buffer.from(bytes)
    .toString('hex')
    .replace(/(..)(?=.)/g, '$1 ');
const names = Object.keys(codecs) as Codec[];
const floats = (values: Float32Array) => hex(float32Payload(values));

/** The model and the update of the page's examples. */
const layout: Layout = [
  { name: 'dense/kernel', shape: [2, 1], trainable: true },
  { name: 'dense/bias', shape: [1], trainable: true },
];
const update = Float32Array.of(0.5, -1, 0.25);

const withStatistics: Layout = [
  { name: 'norm/gamma', shape: [2], trainable: true },
  { name: 'norm/moving_mean', shape: [2], trainable: false },
  { name: 'dense/kernel', shape: [2, 3], trainable: true },
];
const mixed = Float32Array.of(0.5, -1, 100, -2000.5, 0.25, 0.125, -0.75, 3, 0, -0.001);

function layoutVector(of: Layout) {
  const text = of
    .map(({ name, shape, trainable }) => `${name}:${trainable ? 1 : 0}:${shape.join(',')}`)
    .join('\n');
  return { layout: of, text, hash: hex(layoutHash(of)) };
}

function frameVector(kind: FrameKind, codec: Codec, payload: Uint8Array, of: Layout = layout) {
  const { parameters } = modelSize(of);
  const frame = encodeFrame({ kind, codec, layoutHash: layoutHash(of), parameters, payload });
  return {
    kind,
    codec,
    layoutHash: hex(layoutHash(of)),
    parameters,
    payload: hex(payload),
    frame: hex(frame),
  };
}

/**
 * @param nearest whether `int8` rounds to the nearest, as for a whole model.
 * @returns `encoding` is `exact` where the page gives the bytes, and `free` where it leaves them to the sender: then the
 *   payload is one of many.
 */
function codecVector(codec: Codec, values: Float32Array, { of = layout, nearest = false } = {}) {
  const payload = finish(encodeInSteps(codec, values, of, codec === 'int8' ? 0 : 1, nearest));
  const decoded = toFloat32(payloadValues({ codec, payload }, of));
  return {
    codec,
    encoding: codec === 'int8' || codec === 'int4' ? 'free' : 'exact',
    layout: of,
    values: floats(values),
    payload: hex(payload),
    decoded: floats(decoded),
  };
}

/** Of numbers by a rule, where they are too many to be listed: number i is float32((i · 37 mod 101 − 50) / 64). */
function longCodecVector(codec: Codec, length: number) {
  const of: Layout = [{ name: 'all', shape: [length], trainable: true }];
  const values = Float32Array.from({ length }, (_, i) => (((i * 37) % 101) - 50) / 64);
  const payload = encodeValues(codec, values, of, 7);
  const decoded = toFloat32(payloadValues({ codec, payload }, of));
  return { codec, parameters: length, payload: hex(payload), decodedSha256: weightsHash(decoded) };
}

const identity = {
  privateKey: '00112233445566778899aabbccddeeff'.repeat(2),
  host: 'localhost:8080',
  nonce: '0'.repeat(64),
  // Each signing draws a number: this is one signature of many.
  signature: 'twwJ6dRmQ6I-3gEW1KEqW4LIkOiHTOhf-SipAdhUXNVU2-KdTX44RjbPAO8XCRtUOnWR3CIOkUmVGKaW2yqkPg',
};

function identityVector() {
  const { key, id } = keysFrom(Buffer.from(identity.privateKey, 'hex'));
  const point = Buffer.from(key, 'base64url');
  const publicKey = createPublicKey({
    format: 'jwk',
    key: {
      kty: 'EC',
      crv: 'P-256',
      x: point.subarray(1, 33).toString('base64url'),
      y: point.subarray(33).toString('base64url'),
    },
  });
  const signed = proofBytes(identity.host, identity.nonce);
  const signature = Buffer.from(identity.signature, 'base64url');
  if (!verify('sha256', signed, { key: publicKey, dsaEncoding: 'ieee-p1363' }, signature)) {
    throw new Error('the signature of the example is none of this key');
  }
  const { privateKey, ...rest } = identity;
  return { privateKey, publicKey: key, id, signed: Buffer.from(signed).toString(), ...rest };
}

function aggregationVector() {
  const weights = Float32Array.of(1, 2, 3);
  const updates = [
    { examples: 3, delta: update },
    { examples: 1, delta: Float32Array.of(0.1, 0.1, -0.3) },
  ];
  const sum = new ExactAccumulator(3);
  for (const { delta, examples } of updates) sum.add(delta, examples);
  const { low, high } = sum.partial();
  const mean = sum.mean();
  const next = weights.map((weight, i) => weight + (mean[i] as number));
  return {
    serverLearningRate: 1,
    weights: floats(weights),
    updates: updates.map(({ examples, delta }) => ({ examples, delta: floats(delta) })),
    sums: [...low].map((part, i) => String(BigInt(high[i] as number) * 2n ** 32n + BigInt(part))),
    examples: 4,
    mean: [...mean],
    next: floats(next),
    checkpoint: weightsHash(next),
  };
}

function stepsVector() {
  const from = Float32Array.of(1, 2, 3);
  const steps = [update, Float32Array.of(0.1, 0.1, -0.3)].map((values, i) =>
    encodeValues('int8', values, layout, i),
  );
  const payload = Buffer.concat(steps);
  const to = takeSteps('int8', payload, from, layout);
  return {
    base: weightsHash(from),
    from: floats(from),
    ...frameVector('steps', 'int8', payload),
    to: floats(to),
    checkpoint: weightsHash(to),
  };
}

/** All of the file. Bytes are hexadecimal, in the order in which they travel. */
export function vectors() {
  return {
    identity: identityVector(),
    layouts: [layoutVector(layout), layoutVector(withStatistics)],
    weightsHash: { values: floats(update), hash: weightsHash(update) },
    frames: [
      frameVector('update', 'float32', float32Payload(update)),
      frameVector('weights', 'float32', float32Payload(Float32Array.of(1, 2, 3))),
      frameVector('update', 'int8', encodeValues('int8', update, layout, 3)),
      frameVector('update', 'float16', encodeValues('float16', mixed, withStatistics, 1), withStatistics),
      frameVector('steps', 'int4', new Uint8Array(0)),
    ],
    codecs: [
      ...names.map((codec) => codecVector(codec, update)),
      codecVector('float16', Float32Array.of(1e9, 2 ** -25, 1 + 2 ** -11)),
      codecVector('int8', update, { nearest: true }),
      codecVector('int4', new Float32Array(3)),
      codecVector('top10', Float32Array.of(1, -1, 0.5)),
      ...names.map((codec) => codecVector(codec, mixed, { of: withStatistics })),
    ],
    longCodecs: [longCodecVector('int8', 1030), longCodecVector('int4', 300), longCodecVector('int4', 4396)],
    randomBits: { seed: 1, words: [0, 1].map((w) => randomBits(1, w).toString(16).padStart(8, '0')) },
    steps: stepsVector(),
    aggregation: aggregationVector(),
  };
}

if (import.meta.main) writeFileSync(file, `${JSON.stringify(vectors(), null, 2)}\n`);
