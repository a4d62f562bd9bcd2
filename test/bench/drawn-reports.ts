import { type Binning, Monitor, type Observation, OwnStatistics, summarise } from '@coppice/continuity';
import { normal, seededRandom } from '@coppice/ports';

/** Reports that are drawn. */
const REPORTS = 100;
/** Predictions behind each. */
const PREDICTIONS = 30;

/** Reports of devices whose columns are standard normal, of a task with three classes. */
export function drawnReports(binning: Binning, identity: string): Float32Array[] {
  return Array.from({ length: REPORTS }, (_, i) => {
    const monitor = new Monitor(binning, identity);
    for (const one of observations(binning, i)) monitor.observe(one);
    return ensured(summarise(monitor.state(), binning));
  });
}

/** As `drawnReports`, statistics of examples that the model predicts right. */
export function drawnStatistics(binning: Binning, identity: string): Float32Array[] {
  return Array.from({ length: REPORTS }, (_, i) => {
    const statistics = new OwnStatistics(binning, identity);
    for (const one of observations(binning, i)) statistics.observe(one, one.prediction);
    return ensured(statistics.numbers());
  });
}

function observations(binning: Binning, report: number): Observation[] {
  const random = seededRandom('report', report);
  return Array.from({ length: PREDICTIONS }, (_, made) => ({
    columns: binning.columns.map(() => normal(random)),
    prediction: made % 3,
    confidence: 0.8,
  }));
}

function ensured(numbers: Float32Array | null): Float32Array {
  if (numbers === null) throw new Error('a report has too few predictions');
  return numbers;
}
