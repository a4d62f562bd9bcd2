import { encodeInSteps, partOf, type Steps } from '@coppice/federation';
import { seededRandom } from '@coppice/ports';
import {
  type Codec,
  CoppiceError,
  encodeFrame,
  encodeHeader,
  FRAME_HEADER_BYTES,
  FROZEN_PARCEL,
  float32Payload,
  type Layout,
  layoutHash,
  modelParts,
  movesBySteps,
  PIECE_BYTES,
  type Plan,
  pieceOf,
} from '@coppice/protocol';
import { crc32InSteps, nativeCrc32 } from '../native-crc32.ts';
import { hashInSteps, toBytes } from '../storage/blobs.ts';

/** A model as it travels, made once and shared by all who get it. */
export interface PackedModel {
  readonly codec: Codec;
  /** The whole frame, or its header alone where the payload goes in pieces. */
  readonly frame: Uint8Array;
  /** Of float32, the weights' own memory. */
  readonly payload: Uint8Array;
}

/** A parcel that goes with questions beside the model. */
export interface GivenParcel {
  readonly name: string;
  readonly hash: string;
  readonly packed: PackedModel;
}

/**
 * Packs a strategy's tensors, each as long as the model, exactly as they are, but without the numbers of frozen
 * tensors, which are 0.
 */
export function* packGiven(
  given: Readonly<Record<string, Float32Array>>,
  layout: Layout,
): Steps<GivenParcel[]> {
  const parts = modelParts(layout);
  const hash = layoutHash(parts?.moving ?? layout);
  const parcels: GivenParcel[] = [];
  for (const [name, values] of Object.entries(given)) {
    const moving = parts === null ? values : yield* partOf(layout, 'moving', values);
    parcels.push({ name, hash: yield* hashInSteps(toBytes(moving)), packed: yield* packModel(hash, moving) });
  }
  return parcels;
}

/** The ways in which one model travels: the same one several times where it is not rounded and nothing in it is frozen. */
export interface PackedModels {
  /** All of it, as it is: for use. */
  readonly whole: PackedModel;
  /** Its moving part as it is: to be measured, and to take steps from. */
  readonly exact: PackedModel;
  /** The moving part that a round begins from. */
  readonly toTrain: PackedModel;
  /** The hash of the float32 bytes of the moving part; `null`: nothing is frozen, or everything, and all travels as one. */
  readonly moving: string | null;
}

/** Packs weights, which must not change from then on, a piece at a time. A large model is not copied. */
export function packModel(layoutHash: Uint8Array, weights: Float32Array): Steps<PackedModel> {
  return pack('float32', float32Payload(weights), { layoutHash, parameters: weights.length });
}

/** Packs a model in the ways in which its plan lets it travel. The same round rounds alike, after a restart, too. */
export function* packModels(
  { weights, round }: { weights: Float32Array; round: number },
  { plan, layout, layoutHash: hash }: { plan: Plan; layout: Layout; layoutHash: Uint8Array },
): Steps<PackedModels> {
  const whole = yield* packModel(hash, weights);
  const parts = modelParts(layout);
  if (parts === null) {
    const toTrain = yield* packRounded({ weights, round, exact: whole }, { plan, layout, layoutHash: hash });
    return { whole, exact: whole, toTrain, moving: null };
  }
  const own = { plan, layout: parts.moving, layoutHash: layoutHash(parts.moving) };
  const moving = yield* partOf(layout, 'moving', weights);
  const exact = yield* packModel(own.layoutHash, moving);
  const toTrain = yield* packRounded({ weights: moving, round, exact }, own);
  return { whole, exact, toTrain, moving: yield* hashInSteps(toBytes(moving)) };
}

/** The model that a round begins from: rounded by the plan's codec, or as it is. */
function* packRounded(
  { weights, round, exact }: { weights: Float32Array; round: number; exact: PackedModel },
  { plan, layout, layoutHash }: { plan: Plan; layout: Layout; layoutHash: Uint8Array },
): Steps<PackedModel> {
  const codec = plan.downloadCodec;
  if (codec === 'float32' || movesBySteps(plan)) return exact;
  const seed = seededRandom(plan.seed, 'model', round).uint32();
  const rounded = yield* encodeInSteps(codec, weights, layout, seed, true);
  return yield* pack(codec, rounded, { layoutHash, parameters: weights.length });
}

/** The frozen tensors of a model, which are the same in all models of a run; `null`: all of it travels as one. */
export function* packFrozen(weights: Float32Array, layout: Layout): Steps<GivenParcel | null> {
  const parts = modelParts(layout);
  if (parts === null) return null;
  const values = yield* partOf(layout, 'frozen', weights);
  const payload = float32Payload(values);
  const frame = encodeHeader(
    {
      kind: 'weights',
      codec: 'float32',
      layoutHash: layoutHash(parts.frozen),
      parameters: values.length,
      payloadBytes: payload.byteLength,
      payloadChecksum: yield* crc32InSteps(payload),
    },
    nativeCrc32,
  );
  const packed: PackedModel = { codec: 'float32', frame, payload };
  return { name: FROZEN_PARCEL, hash: yield* hashInSteps(toBytes(values)), packed };
}

function* pack(
  codec: Codec,
  payload: Uint8Array,
  model: { layoutHash: Uint8Array; parameters: number },
): Steps<PackedModel> {
  const header = { kind: 'weights', codec, ...model } as const;
  const payloadBytes = payload.byteLength;
  if (FRAME_HEADER_BYTES + payloadBytes <= PIECE_BYTES)
    return { codec, frame: encodeFrame({ ...header, payload }, nativeCrc32), payload };
  const payloadChecksum = yield* crc32InSteps(payload);
  return { codec, frame: encodeHeader({ ...header, payloadBytes, payloadChecksum }, nativeCrc32), payload };
}

/** A piece of a packed model: a view. @throws CoppiceError `message-invalid` where it has no such piece. */
export function pieceOfModel({ codec, payload }: PackedModel, piece: number): Uint8Array {
  const bytes = pieceOf(payload, piece);
  if (bytes.byteLength > 0) return bytes;
  throw new CoppiceError('message-invalid', `The model has no piece ${piece} of ${codec}.`);
}

/** The one that travels by this codec. @throws CoppiceError `message-invalid` where none does. */
export function inCodec(models: readonly PackedModel[], codec: Codec): PackedModel {
  const found = models.find((one) => one.codec === codec);
  if (found !== undefined) return found;
  throw new CoppiceError('message-invalid', `The parcel does not travel as ${codec}.`);
}

/** The error for pieces of a parcel that is not a current one. */
export function notCurrent(run: string): CoppiceError {
  return new CoppiceError(
    'checkpoint-unknown',
    `That is no longer the current model of the run "${run}". Ask for the current one.`,
  );
}
