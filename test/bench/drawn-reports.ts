import { type Binning, Monitor, summarise } from '@coppice/continuity';
import { normal, seededRandom } from '@coppice/ports';

/** Reports that are drawn. */
const REPORTS = 100;
/** Predictions behind each. */
const PREDICTIONS = 30;

/** Reports of devices whose columns are standard normal, of a task with three classes. */
export function drawnReports(binning: Binning, identity: string): Float32Array[] {
  return Array.from({ length: REPORTS }, (_, i) => {
    const random = seededRandom('report', i);
    const monitor = new Monitor(binning, identity);
    for (let made = 0; made < PREDICTIONS; made++)
      monitor.observe({
        columns: binning.columns.map(() => normal(random)),
        prediction: made % 3,
        confidence: 0.8,
      });
    const numbers = summarise(monitor.state(), binning);
    if (numbers === null) throw new Error('a report has too few predictions');
    return numbers;
  });
}
