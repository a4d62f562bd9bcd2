import type { Made, World } from '../world.ts';

/** A prediction as it was made on a device. */
export interface Predicted {
  /** The example in stored form. */
  readonly example: Uint8Array | Float32Array | Float64Array;
  readonly hash: string;
  readonly output: Float32Array;
  /** The model's features of a picture; null for tables. */
  readonly features: Float32Array | null;
  /** The class that turned out to be right. */
  readonly label: number;
}

/** The part of a scheme in one period. */
export interface Kept {
  /** Committed in this period. */
  readonly rounds: number;
  /** Examples that devices trained on in it. */
  readonly trained: number;
  readonly releases: number;
  readonly rollbacks: number;
  /** Candidates that the comparison refused. */
  readonly refused: number;
  /** Alarms of the period's verdict, and what it is of; null: nothing is watched. */
  readonly verdict: {
    readonly drift: boolean;
    readonly quality: boolean;
    readonly floor: boolean;
  } | null;
}

/** A way to keep a released model good. */
export interface Scheme {
  /** Called once, when production names the first model. */
  begin(first: Made): Promise<void>;
  /** The hash of the checkpoint that a device predicts with. */
  modelOf(device: number): string;
  /** Takes the predictions of a device in a period, with their outcomes. */
  predicted(device: number, period: number, predictions: readonly Predicted[]): Promise<void>;
  /** Called when all predictions of the period are made, and its examples stored. */
  after(period: number): Promise<Kept>;
}

export type MakeScheme = (world: World) => Scheme;

export const NOTHING: Kept = {
  rounds: 0,
  trained: 0,
  releases: 0,
  rollbacks: 0,
  refused: 0,
  verdict: null,
};
