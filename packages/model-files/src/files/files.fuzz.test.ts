import { readFileSync } from 'node:fs';
import { shapeSize } from '@coppice/protocol';
import { anyBytes, damaged, survives } from '@coppice/protocol/testing';
import fc from 'fast-check';
import { zipSync } from 'fflate';
import { describe, expect, it, vi } from 'vitest';
import { readModelFile } from './read-model-file.ts';

const fixture = (name: string) =>
  new Uint8Array(readFileSync(new URL(`../fixtures/${name}`, import.meta.url)));
const model = {
  modelTopology: {
    class_name: 'Sequential',
    config: {
      name: 'm',
      layers: [{ class_name: 'Dense', config: { name: 'out', units: 2, batch_input_shape: [null, 3] } }],
    },
  },
  weightsManifest: [
    {
      paths: ['a.bin', 'b.bin'],
      weights: [
        { name: 'out/kernel', shape: [3, 2], dtype: 'float32' },
        { name: 'out/bias', shape: [2], dtype: 'float32' },
      ],
    },
  ],
};
const text = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
const archive = zipSync({
  'm/model.json': text(model),
  'm/a.bin': new Uint8Array(20),
  'm/b.bin': new Uint8Array(12),
});
const samples = {
  'mlp.keras': fixture('mlp.keras'),
  'mlp.h5': fixture('mlp.h5'),
  'nested-twice.h5': fixture('nested-twice.h5'),
  'model.zip': archive,
  'model.json': text(model),
};

describe('files of a model that someone brought', () => {
  it.each(Object.entries(samples))(
    '%s, damaged anywhere, has weights of the right sizes, or is refused by name',
    async (name, valid) => {
      // jsfive warns of attributes of types that it does not know.
      const warned = vi.spyOn(console, 'warn').mockImplementation(() => {});
      await survives(() => readModelFile([{ name, bytes: valid }]));
      await fc.assert(
        fc.asyncProperty(fc.oneof({ weight: 6, arbitrary: damaged(valid) }, anyBytes), async (bytes) => {
          const result = await survives(() => readModelFile([{ name, bytes }]));
          if ('refused' in result) {
            expect(result.refused.code).toBe('model-invalid');
            expect(result.refused.message).not.toContain('\n');
            return;
          }
          for (const { shape, values } of result.value.weights ?? []) {
            expect(values.length).toBe(shapeSize(shape));
          }
        }),
        { numRuns: 400 },
      );
      warned.mockRestore();
    },
  );

  it.each(Object.entries(samples))('%s, cut short anywhere, is refused or whole', async (name, valid) => {
    for (let cut = 1; cut <= 40; cut++) {
      const bytes = valid.slice(0, Math.floor((valid.length * cut) / 41));
      const result = await survives(() => readModelFile([{ name, bytes }]));
      if ('refused' in result) expect(result.refused.code).toBe('model-invalid');
      else expect(result.value.weights).not.toBeNull();
    }
  });
});
