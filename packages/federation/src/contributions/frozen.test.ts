import {
  contributionBytes,
  contributionSize,
  type Layout,
  sectionLayout,
  sectionsOf,
} from '@coppice/protocol';
import { expect, it } from 'vitest';
import { scaledSteps } from '../pipeline/clip.ts';
import { withFrozen, withoutFrozen } from './frozen.ts';
import { modelGroup } from './layout.ts';

const model: Layout = [
  { name: 'base/kernel', shape: [2, 2], trainable: false, frozen: true },
  { name: 'head/kernel', shape: [2], trainable: true },
  { name: 'base/bias', shape: [], trainable: false, frozen: true },
  { name: 'mean', shape: [1], trainable: false },
];
const layout = modelGroup(model, { bound: null });
const sections = sectionsOf(layout);
const [section] = sections as [(typeof sections)[0]];

it('lists frozen tensors, which have no numbers in a contribution', () => {
  expect(layout.map(({ role }) => role)).toEqual(['frozen', 'step', 'frozen', 'average']);
  expect(contributionSize(layout)).toBe(3);
  expect(section).toMatchObject({ parameters: 3, steps: 2 });
  expect(contributionBytes('float32', sections)).toBe(12);
  expect(sectionLayout(section).map(({ name }) => name)).toEqual(['head/kernel', 'mean']);
  expect([...scaledSteps(section, Float32Array.of(4, 8, 16), 0.5)]).toEqual([2, 4, 16]);
});

it('takes frozen numbers out of a vector, and puts zeros in their places', () => {
  const whole = Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8);
  const moving = withoutFrozen(whole, section);
  expect([...moving]).toEqual([5, 6, 8]);
  expect(withFrozen(moving, section)).toEqual(Float32Array.of(0, 0, 0, 0, 5, 6, 0, 8));
  expect(withFrozen(Float64Array.from(moving), section)).toBeInstanceOf(Float64Array);
  const [free] = sectionsOf(modelGroup(model.slice(1, 2), { bound: null })) as [typeof section];
  expect(withoutFrozen(whole, free)).toBe(whole);
  expect(withFrozen(whole, free)).toBe(whole);
});
