import { encodeInSteps, type Steps } from '@coppice/federation';
import { seededRandom } from '@coppice/ports';
import {
  type Codec,
  CoppiceError,
  encodeFrame,
  encodeHeader,
  FRAME_HEADER_BYTES,
  float32Payload,
  type Layout,
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

/** A parcel that goes with every question beside the model. */
export interface GivenParcel {
  readonly name: string;
  readonly hash: string;
  readonly packed: PackedModel;
}

/** Packs a strategy's tensors, each as long as the model, exactly as they are. */
export function* packGiven(
  given: Readonly<Record<string, Float32Array>>,
  layoutHash: Uint8Array,
): Steps<GivenParcel[]> {
  const parcels: GivenParcel[] = [];
  for (const [name, values] of Object.entries(given))
    parcels.push({
      name,
      hash: yield* hashInSteps(toBytes(values)),
      packed: yield* packModel(layoutHash, values),
    });
  return parcels;
}

/** The ways in which one model travels; the same one twice where it is not rounded. */
export interface PackedModels {
  /** As it is: for use, to be measured, and to take steps from. */
  readonly exact: PackedModel;
  /** What a round begins from. */
  readonly toTrain: PackedModel;
}

/** Packs weights, which must not change from then on, a piece at a time. A large model is not copied. */
export function packModel(layoutHash: Uint8Array, weights: Float32Array): Steps<PackedModel> {
  return pack('float32', float32Payload(weights), { layoutHash, parameters: weights.length });
}

/** Packs a model in the ways in which its plan lets it travel. The same round rounds alike, after a restart, too. */
export function* packModels(
  { weights, round }: { weights: Float32Array; round: number },
  { plan, layout, layoutHash }: { plan: Plan; layout: Layout; layoutHash: Uint8Array },
): Steps<PackedModels> {
  const exact = yield* packModel(layoutHash, weights);
  const codec = plan.downloadCodec;
  if (codec === 'float32' || movesBySteps(plan)) return { exact, toTrain: exact };
  const seed = seededRandom(plan.seed, 'model', round).uint32();
  const rounded = yield* encodeInSteps(codec, weights, layout, seed, true);
  return { exact, toTrain: yield* pack(codec, rounded, { layoutHash, parameters: weights.length }) };
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
