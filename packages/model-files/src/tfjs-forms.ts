import type { Topology } from '@coppice/protocol';
import { isObject } from './layers.ts';

/**
 * Writes settings of Keras in the form that tfjs reads: the regularizers `L1` and `L2` as `L1L2`, its only one; a
 * separable convolution without settings of a kernel, which it does not have. Copies the parts that it changes.
 */
export function inTfjsForms(topology: Topology): Topology {
  return renamed(topology) as Topology;
}

function renamed(part: unknown): unknown {
  if (Array.isArray(part)) {
    const items = (part as unknown[]).map(renamed);
    return items.some((item, i) => item !== part[i]) ? items : part;
  }
  if (!isObject(part)) return part;
  let changed = false;
  const separable = part['class_name'] === 'SeparableConv2D';
  const entries = Object.entries(part).map(([key, value]): [string, unknown] => {
    const after = key.endsWith('_regularizer')
      ? l1l2(value)
      : separable && key === 'config'
        ? withoutKernel(renamed(value))
        : renamed(value);
    changed ||= after !== value;
    return [key, after];
  });
  return changed ? Object.fromEntries(entries) : part;
}

function l1l2(value: unknown): unknown {
  if (!isObject(value) || (value['class_name'] !== 'L1' && value['class_name'] !== 'L2')) return value;
  const config = isObject(value['config']) ? value['config'] : {};
  return { class_name: 'L1L2', config: { l1: config['l1'] ?? 0, l2: config['l2'] ?? 0 } };
}

function withoutKernel(config: unknown): unknown {
  if (
    !isObject(config) ||
    !Object.keys(config).some((key) => key.startsWith('kernel_') && key !== 'kernel_size')
  ) {
    return config;
  }
  return Object.fromEntries(
    Object.entries(config).filter(([key]) => !key.startsWith('kernel_') || key === 'kernel_size'),
  );
}
