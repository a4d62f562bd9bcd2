import { invalid } from '@coppice/model-files';
import { inputSize, type Layout, shapeSize } from '@coppice/protocol';
import { switchTo, useBackend } from './backends.ts';
import { buildWithZeros } from './first-weights.ts';
import { withWeightLimit } from './size-limit.ts';
import * as tf from './tf.ts';
import type { ModelDescription, Trainer } from './trainer.ts';

/** Largest difference of two outputs, relative to the largest output: the same arithmetic in another order. */
const TOLERANCE = 1e-3;

/**
 * Checks that a model comes back from what is served of it: plain tfjs builds it from its topology as it is stored, finds
 * a weight for every name and a name for every weight, and predicts as `trainer` does.
 *
 * @param trainer a trainer of the same model, on a backend of tfjs, with `weights`.
 * @throws CoppiceError `model-invalid`
 */
export async function checkArtifact(
  { topology, data, loss }: ModelDescription,
  { layout, weights, trainer }: { layout: Layout; weights: Float32Array; trainer: Trainer },
): Promise<void> {
  const size = inputSize(data);
  const xs = Float32Array.from({ length: size }, (_, i) => (i + 1) / size);
  const expected = await trainer.predict(xs, 1);
  await useBackend('wasm');
  switchTo('wasm');
  const outputs = await predictions({ topology, layout, weights, xs });
  // A trainer predicts both classes of one sigmoid unit, which is the probability of the second.
  const found =
    loss === 'binaryCrossentropy'
      ? Float32Array.from([...outputs].flatMap((probability) => [1 - probability, probability]))
      : outputs;
  const largest = expected.reduce((most, x) => Math.max(most, Math.abs(x)), 1e-6);
  const differs = expected.some((x, i) => Math.abs(x - (found[i] as number)) > TOLERANCE * largest);
  if (!differs && found.length === expected.length) return;
  throw invalid('its weights, saved as a tfjs model and loaded again, predict other numbers');
}

async function predictions({
  topology,
  layout,
  weights,
  xs,
}: {
  topology: unknown;
  layout: Layout;
  weights: Float32Array;
  xs: Float32Array;
}): Promise<Float32Array> {
  let at = 0;
  const named = Object.fromEntries(
    layout.map(({ name, shape }) => {
      const from = at;
      at += shapeSize(shape);
      return [name, tf.tensor(weights.slice(from, at), [...shape])];
    }),
  );
  let model: tf.LayersModel | null = null;
  try {
    const loading = withWeightLimit(() =>
      buildWithZeros(() =>
        tf.models.modelFromJSON({ modelTopology: topology } as unknown as tf.io.ModelJSON),
      ),
    );
    model = await loading;
    switchTo('wasm');
    model.loadWeights(named, true);
    const shape = (model.inputs[0]?.shape ?? []).slice(1) as number[];
    const loaded = model;
    const outputs = tf.tidy(() => loaded.predict(tf.tensor(xs, [1, ...shape])) as tf.Tensor);
    const numbers = await outputs.data<'float32'>();
    outputs.dispose();
    return numbers;
  } catch (thrown) {
    const [why = ''] = (thrown instanceof Error ? thrown.message : String(thrown)).split('\n');
    throw invalid(
      `its weights can't be loaded again as tfjs saves them (${why.replace(/[.\s]+$/, '')}). Give each layer a name of its own`,
      thrown,
    );
  } finally {
    model?.dispose();
    tf.dispose(named);
  }
}
