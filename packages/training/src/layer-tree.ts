import * as tf from './tf.ts';

/**
 * Lists every layer of a model, nested ones included: nested models, wrapped layers, cells of recurrent layers, layers
 * that a layer makes for itself. Always in the same order.
 */
export function everyLayer(model: tf.layers.Layer): tf.layers.Layer[] {
  const found = new Set<tf.layers.Layer>();
  const visit = (value: unknown): void => {
    if (Array.isArray(value)) {
      for (const item of value) visit(item);
    } else if (value instanceof tf.layers.Layer && !found.has(value)) {
      found.add(value);
      // tfjs has no one way to ask a layer for its inner ones: `layers`, `layer`, `cell`, `cells`, ….
      for (const inner of Object.values(value)) visit(inner);
    }
  };
  visit(model);
  return [...found];
}
