import { anyValue, mutated } from '@coppice/protocol/testing';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Monitor } from './monitor/monitor.ts';
import { readMonitorState } from './monitor/state.ts';
import { BinningSchema } from './reference/binning.ts';
import { identityOf, ReferenceSchema, referenceOf } from './reference/reference.ts';
import { binningOf, drawSums } from './report/population.testing.ts';
import { refuses } from './report/refuses.ts';
import { summarise } from './report/summarise.ts';

const binning = binningOf(1, {
  columns: [...binningOf(1).columns, { kind: 'category', name: 'colour', values: 2 }],
  confidence: { edges: [0.5] },
});
const identity = identityOf(binning);
const alike = { participants: 8, examples: 20, differences: { kind: 'none' } } as const;
const reference = referenceOf(binning, drawSums(binning, alike, 'fuzz'));

const monitor = new Monitor(binning, identity);
monitor.begin(3);
for (let i = 0; i < 40; i++) {
  const columns = [i - 20, i % 4 === 3 ? Number.NaN : i % 3];
  monitor.observe({ columns, prediction: i % 2, confidence: 1, id: `${i}` });
  if (i % 2 === 0) monitor.outcome(`${i}`, 0);
}
const state = monitor.state();

it.each([
  ['a binning', BinningSchema, binning],
  ['a reference', ReferenceSchema, reference],
])('any value is %s that says the same again, or refused', (_, schema, valid) => {
  fc.assert(
    fc.property(fc.oneof(anyValue, mutated(valid)), (value) => {
      const { success, data } = schema.safeParse(value);
      if (success) expect(schema.parse(JSON.parse(JSON.stringify(data)))).toEqual(data);
    }),
  );
  expect(schema.parse(valid)).toEqual(valid);
});

it('any stored state is a monitor that goes on and whose report is not refused, or none', () => {
  fc.assert(
    fc.property(fc.oneof(anyValue, mutated(state)), (stored) => {
      const read = readMonitorState(stored, binning, identity);
      if (read === null) return;
      const goesOn = new Monitor(binning, identity, read);
      for (let i = 0; i < 40; i++) {
        goesOn.observe({ columns: [0, 0], prediction: 1, confidence: 0, id: `new ${i}` });
        goesOn.outcome(`new ${i}`, i % 2);
      }
      expect(readMonitorState(goesOn.state(), binning, identity)).toEqual(goesOn.state());
      const numbers = summarise(goesOn.state(), binning) as Float32Array;
      expect(refuses({ recipe: binning.recipe, identity, numbers }, binning, identity)).toBeNull();
    }),
  );
  expect(readMonitorState(state, binning, identity)).toEqual(state);
});
