import { Monitor, type Observation } from '../monitor/monitor.ts';
import { tensorsOf } from '../report/layout.ts';
import { inverseOf, rounded, SHARE_UNIT, SQUARE_UNIT, sharesOf, squareOf } from '../report/shares.ts';
import { type Measured, measuredOf, statisticsLayout } from '../report/statistics-layout.ts';
import { MINIMUM_COUNT, summarise } from '../report/summarise.ts';
import { type Binning, predictionBin, predictionBins } from './binning.ts';

/**
 * Statistics of one device's own examples: the report of what a model predicts of them, the shares of their labels, and the
 * moments of numbers.
 */
export class OwnStatistics {
  readonly #binning: Binning;
  readonly #identity: string;
  readonly #monitor: Monitor;
  readonly #labels: Float64Array;
  readonly #moments: Moments[];

  /** @param identity the hash of the binning (`identityOf`). */
  constructor(binning: Binning, identity: string) {
    this.#binning = binning;
    this.#identity = identity;
    this.#monitor = new Monitor(binning, identity);
    this.#labels = new Float64Array(predictionBins(binning.prediction));
    this.#moments = measuredOf(binning).map((measured) => ({ measured, values: 0, sum: 0, squares: 0 }));
  }

  /**
   * Counts an example.
   *
   * @param label the index of the class, or the number in the target's unit; one that is not finite: there is none.
   * @throws RangeError as `Monitor.observe`, and for a label that is no class.
   */
  observe(observation: Observation, label: number): void {
    this.#monitor.observe(observation);
    const bin = Number.isFinite(label) ? predictionBin(this.#binning.prediction, label) : null;
    if (bin !== null) this.#labels[bin] = (this.#labels[bin] as number) + 1;
    for (const moments of this.#moments) {
      const { column } = moments.measured;
      const value = column === null ? label : (observation.columns[column] as number);
      if (Number.isFinite(value)) count(moments, value);
    }
  }

  /**
   * The numbers that leave the device, by `statisticsLayout`. Labels, and moments, of fewer values than `minimum` are left out.
   *
   * @param minimum at least 1.
   * @returns `null` where there are fewer examples: nothing leaves the device.
   */
  numbers(minimum: number = MINIMUM_COUNT): Float32Array | null {
    const report = summarise(this.#monitor.state(), this.#binning, minimum);
    if (report === null) return null;
    const layout = statisticsLayout(this.#binning, this.#identity);
    const numbers = new Float32Array(layout.reduce((sum, { shape }) => sum + (shape[0] ?? 1), 0));
    numbers.set(report);
    const tensors = tensorsOf(layout, numbers);
    const put = (name: string, at: number, value: number) => {
      (tensors.get(name) as Float32Array)[at] = value;
    };
    const labelled = this.#labels.reduce((sum, one) => sum + one, 0);
    if (labelled >= minimum) {
      put('label-present', 0, 1);
      put('label-inverse', 0, inverseOf(labelled));
      for (const [bin, share] of sharesOf(this.#labels).entries()) {
        put('label-shares', bin, share);
        put('label-squares', bin, squareOf(share));
      }
    }
    for (const [i, { values, sum, squares }] of this.#moments.entries()) {
      if (values < minimum) continue;
      const mean = rounded(sum / values, SHARE_UNIT);
      put('means', i, mean);
      // Rounding leaves no pair that values in [0, 1] cannot have.
      const square = rounded(squares / values, SQUARE_UNIT);
      put('mean-squares', i, Math.min(mean, Math.max(squareOf(mean), square)));
    }
    return numbers;
  }
}

interface Moments {
  readonly measured: Measured;
  values: number;
  sum: number;
  squares: number;
}

function count(moments: Moments, value: number): void {
  const [low, high] = moments.measured.span;
  const mapped = Math.min(1, Math.max(0, (value - low) / (high - low)));
  moments.values++;
  moments.sum += mapped;
  moments.squares += mapped * mapped;
}
