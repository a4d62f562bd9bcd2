import type { Layout } from '@coppice/protocol';
import type { WeightRole } from '../weight-role.ts';

/** A layer of a chain. Shapes are of one example, without the batch. */
export interface ChainLayer {
  readonly name: string;
  readonly className: string;
  /** As tfjs's `getConfig` returns it: camel case, with defaults filled in. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly inputShape: readonly number[];
  readonly outputShape: readonly number[];
  /** By name (`kernel`, `bias`, `gamma`, …): the weight's place in the layout. */
  readonly weights: ReadonlyMap<string, number>;
}

/** A model whose layers form a chain, from input to output. It holds nothing of tfjs. */
export interface Chain {
  readonly layers: readonly ChainLayer[];
  readonly layout: Layout;
  /** The role of each weight, in layout order. */
  readonly roles: readonly WeightRole[];
  readonly inputShape: readonly number[];
  /** Numbers in one output row. */
  readonly outputs: number;
}
