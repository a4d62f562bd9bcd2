import { invalid } from '@coppice/model-files';
import { CoppiceError, inputSize, targetSize } from '@coppice/protocol';
import { switchTo, useBackend } from './backends.ts';
import { checkArtifact } from './check-artifact.ts';
import { everyLayer } from './layer-tree.ts';
import { buildModel } from './model.ts';
import { RandomLayers } from './random-layers.ts';
import { dropTape } from './tape.ts';
import * as tf from './tf.ts';
import { createTfjsTrainer } from './tfjs-trainer.ts';
import type { ModelDescription } from './trainer.ts';

/**
 * Takes one training step with a model: tfjs builds and runs many layers that it can't train, and fails only in the
 * first step. Runs on WASM, which every browser has and which supports the fewest operations.
 *
 * @param weights initial weights of the step, in layout order.
 * @throws CoppiceError `model-invalid`, naming the layer where it is known.
 */
export async function checkTraining(description: ModelDescription, weights: Float32Array): Promise<void> {
  const size = inputSize(description.data);
  // No two numbers the same, so that no layer meets a case that real data don't have.
  const xs = Float32Array.from({ length: size }, (_, i) => (i + 0.5) / size);
  const trainer = await createTfjsTrainer(description, { backend: 'wasm', seed: 0 });
  try {
    trainer.setWeights(weights);
    await checkArtifact(description, { layout: trainer.layout, weights, trainer });
    await trainer.train(
      { count: 1, xs, ys: new Float32Array(targetSize(description.data)) },
      { epochs: 1, batchSize: 1, optimizer: 'sgd', learningRate: 1e-6, shuffleSeed: 'check' },
    );
  } catch (thrown) {
    // Made-up numbers may well diverge; that is about them, not about the layers.
    if (thrown instanceof CoppiceError && thrown.code === 'training-diverged') return;
    if (thrown instanceof CoppiceError && thrown.code === 'model-invalid') throw thrown;
    const why = words(thrown);
    const layer = await layerWithoutGradient(description);
    const whose = layer
      ? `its layer "${layer.name}" (${layer.getClassName()}) can't be trained by tfjs`
      : "tfjs can't train it";
    throw invalid(`${whose}: ${why}. Leave it out, or use another in its place`, thrown);
  } finally {
    trainer.dispose();
  }
  const ignored = await layerWithIgnoredDilation(description);
  if (ignored) {
    throw invalid(
      `its layer "${ignored}" (DepthwiseConv2D) is dilated, which tfjs leaves out of account without a word. Set its dilation_rate to 1`,
    );
  }
}

function words(thrown: unknown): string {
  const [first = ''] = (thrown instanceof Error ? thrown.message : String(thrown)).split('\n');
  return first.replace(/[.\s]+$/, '');
}

/** Finds the first layer, in the model's order, that passes no gradient. */
async function layerWithoutGradient(description: ModelDescription): Promise<tf.layers.Layer | null> {
  await useBackend('wasm');
  switchTo('wasm');
  const { model } = await buildModel(description, 0);
  const random = new RandomLayers(model);
  random.seed('check');
  try {
    return model.layers.find((layer) => !passesGradient(layer)) ?? null;
  } finally {
    random.forget();
    model.dispose();
  }
}

function passesGradient(layer: tf.layers.Layer): boolean {
  const shape = layer.inboundNodes[0]?.inputShapes[0] as (number | null)[] | undefined;
  if (!shape || layer.getClassName() === 'InputLayer') return true;
  const sizes = shape.map((size) => size ?? 1);
  const x = tf.tidy(() => tf.variable(tf.randomUniform(sizes, 0, 1, 'float32', 1)));
  const weights = layer.trainableWeights.map((weight) => weight.read() as tf.Variable);
  try {
    tf.tidy(() => {
      tf.variableGrads(() => tf.sum(layer.apply(x, { training: true }) as tf.Tensor), [x, ...weights]);
    });
    return true;
  } catch (thrown) {
    dropTape();
    // A layer of whole numbers, such as an embedding, passes nothing on, and may have nothing to learn.
    return words(thrown).startsWith('Cannot find a connection between any variable');
  } finally {
    x.dispose();
  }
}

/** `DepthwiseConv2D.call` of tfjs 4.22 passes no dilation on. */
async function layerWithIgnoredDilation(description: ModelDescription): Promise<string | null> {
  const { model } = await buildModel(description, 0);
  const dilated = everyLayer(model).find((layer) => {
    if (layer.getClassName() !== 'DepthwiseConv2D') return false;
    return [layer.getConfig()['dilationRate']].flat().some((rate) => Number(rate) > 1);
  });
  const name = dilated?.name ?? null;
  model.dispose();
  return name;
}
