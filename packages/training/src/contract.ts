import type { Objective, Topology } from '@coppice/protocol';
import { layoutSize } from '@coppice/protocol';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Dataset, LocalTraining, ModelDescription, Trainer } from './trainer.ts';

/** Makes the trainer under test: its weights are drawn from the seed. */
export type MakeTrainer = (description: ModelDescription, seed: number) => Promise<Trainer>;

const sgd: LocalTraining = {
  epochs: 1,
  batchSize: 1000,
  optimizer: 'sgd',
  learningRate: 0.5,
  shuffleSeed: 'contract',
};

/** The contract of every `Trainer`. The oracles are formulas, computed here in double precision. */
export function trainerContract(name: string, make: MakeTrainer): void {
  const made = async (description: ModelDescription, seed = 1) => {
    const trainer = await make(description, seed);
    onTestFinished(() => trainer.dispose());
    return trainer;
  };

  describe(`Trainer contract: ${name}`, () => {
    it('draws the same weights from the same seed, and others from another', async () => {
      const [a, b, c] = [await made(classifier), await made(classifier), await made(classifier, 2)];
      expect(a.layout).toEqual([
        { name: 'hidden/kernel', shape: [2, 8], trainable: true },
        { name: 'hidden/bias', shape: [8], trainable: true },
        { name: 'class/kernel', shape: [8, 3], trainable: true },
        { name: 'class/bias', shape: [3], trainable: true },
      ]);
      expect(b.layout).toEqual(a.layout);
      const weights = await a.getWeights();
      expect(weights).toHaveLength(layoutSize(a.layout));
      expect(new Set(weights.subarray(0, 16)).size).toBe(16);
      expect(await b.getWeights()).toEqual(weights);
      expect(await c.getWeights()).not.toEqual(weights);
    });

    it('gives back the weights that were set, and keeps none of the arrays it was given', async () => {
      const trainer = await made(classifier);
      const weights = Float32Array.from({ length: layoutSize(trainer.layout) }, (_, i) => i / 7 - 2);
      const given = weights.slice();
      trainer.setWeights(given);
      given.fill(99);
      expect(await trainer.getWeights()).toEqual(weights);
      expect(() => trainer.setWeights(weights.subarray(1))).toThrow(RangeError);
    });

    it('takes one SGD step of size η along the mean gradient of softmax cross-entropy', async () => {
      const trainer = await made(softmaxRegression);
      const before = await trainer.getWeights();
      const oracle = softmaxStep(before, blobs, sgd.learningRate);
      const result = await trainer.train(blobs, sgd);
      expect(result.steps).toBe(1);
      expect(result.loss).toBeCloseTo(oracle.loss, 5);
      expectClose(result.weights, oracle.weights, 1e-5);
      expect(await trainer.getWeights()).toEqual(result.weights);
    });

    for (const optimizer of ['sgd', 'momentum', 'adam'] as const) {
      it(`follows the formula of ${optimizer} over all batches, the last, smaller one too`, async () => {
        const trainer = await made(line);
        trainer.setWeights(Float32Array.of(0.5, -0.25));
        // All examples are the same, so their order does not matter.
        const data: Dataset = {
          count: 5,
          xs: new Float32Array(5).fill(2),
          ys: new Float32Array(5).fill(3),
        };
        const how = { ...sgd, optimizer, learningRate: 0.05, batchSize: 2, epochs: 2 };
        const result = await trainer.train(data, how);
        expect(result.steps).toBe(6);
        expectClose(result.weights, lineSteps([0.5, -0.25], optimizer, 0.05, 6), 1e-4);
      });
    }

    for (const optimizer of ['sgd', 'momentum', 'adam'] as const) {
      it(`is held by FedProx's term to an anchor, by ${optimizer}, and not the next time`, async () => {
        const trainer = await made(line);
        const how = { ...sgd, optimizer, learningRate: 0.05, batchSize: 2, epochs: 4 };
        const steps = (from: [number, number], objective: Objective | null) =>
          lineSteps(from, optimizer, 0.05, 8, objective);
        const start: [number, number] = [0.5, -0.25];
        const strong = { scale: 1, pull: 1.5, anchor: Float32Array.from(start), offset: null };
        trainer.setWeights(Float32Array.from(start));
        const held = await trainer.train(sameExamples, how, { objective: strong });
        expectClose(held.weights, steps(start, strong), 1e-4);
        // Another anchor and another strength.
        const weak = { ...strong, pull: 0.5, anchor: held.weights };
        const again = await trainer.train(sameExamples, how, { objective: weak });
        expectClose(again.weights, steps([...held.weights] as [number, number], weak), 1e-4);
        trainer.setWeights(Float32Array.from(start));
        expectClose((await trainer.train(sameExamples, how)).weights, steps(start, null), 1e-4);
      });

      it.each(objectives)(`corrects each gradient of ${optimizer} by %s`, async (_, objective) => {
        const trainer = await made(line);
        trainer.setWeights(Float32Array.of(0.5, -0.25));
        const how = { ...sgd, optimizer, learningRate: 0.05, batchSize: 2, epochs: 4 };
        const result = await trainer.train(sameExamples, how, { objective });
        expectClose(result.weights, lineSteps([0.5, -0.25], optimizer, 0.05, 8, objective), 1e-4);
        // The loss is that of the examples alone.
        const errors = Array.from({ length: 2 }, (_, step) => {
          const [w, b] = lineSteps([0.5, -0.25], optimizer, 0.05, 6 + step, objective) as [number, number];
          return (2 * w + b - 3) ** 2;
        });
        expect(result.loss).toBeCloseTo(
          errors.reduce((sum, error) => sum + error / 2, 0),
          3,
        );
      });
    }

    it.each(strategies)('takes the step of %s, as worked out by hand', async (_, objective, expected) => {
      const trainer = await made(line);
      trainer.setWeights(Float32Array.of(0.5, -0.25));
      const how = { ...sgd, learningRate: 0.1, batchSize: 4 };
      const { weights, steps } = await trainer.train(sameExamples, how, { objective });
      expect(steps).toBe(1);
      expectClose(weights, expected, 1e-5);
    });

    it('gives the same bits with an objective that changes nothing, and after one that did', async () => {
      const trainer = await made(classifier);
      const from = await trainer.getWeights();
      const how = { ...sgd, batchSize: 7, epochs: 2 };
      const run = async (objective?: Objective | null) => {
        trainer.setWeights(from);
        return (await trainer.train(blobs, how, { objective: objective ?? null })).weights;
      };
      const plain = await run();
      const changed = from.map((_, i) => Math.sin(i));
      const corrected = await run({ scale: changed, pull: 0.3, anchor: changed, offset: changed });
      expect(corrected).not.toEqual(plain);
      expect(await run({ scale: 1, pull: 0, anchor: changed, offset: null })).toEqual(plain);
      expect(await run({ scale: 0.5, pull: 0.3, anchor: null, offset: null })).not.toEqual(plain);
      expect(await run()).toEqual(plain);
    });

    it("refuses an objective's vector of another length than the layout", async () => {
      const trainer = await made(classifier);
      const short = new Float32Array(layoutSize(trainer.layout) - 1);
      const none = { scale: 1, pull: 0, anchor: null, offset: null };
      for (const wrong of [{ scale: short }, { pull: 1, anchor: short }, { offset: short }]) {
        const training = trainer.train(blobs, sgd, { objective: { ...none, ...wrong } });
        await expect(training).rejects.toThrow(RangeError);
      }
    });

    it('gives the mean gradient over all examples, in several batches too, and changes no weight', async () => {
      const trainer = await made(softmaxRegression);
      const before = await trainer.getWeights();
      for (const data of [blobs, many]) {
        const gradient = await trainer.gradient(data);
        const oracle = softmaxStep(before, data, 1).weights.map((w, i) => (before[i] as number) - w);
        expectClose(gradient, oracle, 1e-6);
      }
      expect(await trainer.getWeights()).toEqual(before);
    });

    it('steps along that gradient where one batch holds all examples', async () => {
      const trainer = await made(classifier);
      const before = await trainer.getWeights();
      const gradient = await trainer.gradient(many);
      const { weights } = await trainer.train(many, sgd);
      expectClose(
        weights,
        [...before].map((w, i) => w - sgd.learningRate * (gradient[i] as number)),
        1e-6,
      );
      // The plans for the one and for the other do not disturb each other.
      trainer.setWeights(before);
      expect(await trainer.gradient(many)).toEqual(gradient);
    });

    it('gives no gradient without examples, of weights gone astray, or when it was stopped', async () => {
      const trainer = await made(classifier);
      const nothing: Dataset = { count: 0, xs: new Float32Array(0), ys: new Float32Array(0) };
      await expect(trainer.gradient(nothing)).rejects.toMatchObject({ code: 'data-empty' });
      const stopped = trainer.gradient(many, { signal: AbortSignal.abort() });
      await expect(stopped).rejects.toMatchObject({ name: 'AbortError' });
      trainer.setWeights(new Float32Array(layoutSize(trainer.layout)).fill(1e30));
      await expect(trainer.gradient(many)).rejects.toMatchObject({ code: 'training-diverged' });
    });

    it('measures sums that add up over parts, and of which its metrics are the means', async () => {
      const trainer = await made(classifier);
      await trainer.train(blobs, { ...sgd, batchSize: 10, epochs: 3 });
      const whole = await trainer.measure(blobs);
      const { loss, accuracy, examples } = await trainer.evaluate(blobs);
      expect(whole.lossSum / whole.examples).toBe(loss);
      expect((whole.hits as number) / whole.examples).toBe(accuracy);
      expect(whole.examples).toBe(examples);
      const rows = await trainer.predict(blobs.xs, blobs.count);
      const perClass = [0, 1, 2].map(() => ({ hits: 0, count: 0 }));
      for (const [i, label] of blobs.ys.entries()) {
        const row = [...rows.subarray(i * 3, (i + 1) * 3)];
        const own = perClass[label] as { hits: number; count: number };
        own.count++;
        if (row.indexOf(Math.max(...row)) === label) own.hits++;
      }
      expect(whole.perClass).toEqual(perClass);
      expect(whole.hits).toBe(perClass.reduce((sum, { hits }) => sum + hits, 0));
      const parts = await Promise.all([
        trainer.measure({ count: 17, xs: blobs.xs.subarray(0, 34), ys: blobs.ys.subarray(0, 17) }),
        trainer.measure({ count: 43, xs: blobs.xs.subarray(34), ys: blobs.ys.subarray(17) }),
      ]);
      expect(parts.reduce((sum, { lossSum }) => sum + lossSum, 0)).toBeCloseTo(whole.lossSum, 4);
      expect(parts.reduce((sum, { hits }) => sum + (hits as number), 0)).toBe(whole.hits);
    });

    it('gives the same bits for the same data, plan and seed; others for another shuffle', async () => {
      const how = { ...sgd, batchSize: 7, epochs: 3 };
      const run = async (shuffleSeed: string) =>
        (await (await made(classifier)).train(blobs, { ...how, shuffleSeed })).weights;
      const first = await run('a');
      expect(await run('a')).toEqual(first);
      expect(await run('b')).not.toEqual(first);
    });

    it('learns, and measures what it predicts', async () => {
      const trainer = await made(classifier);
      const untrained = await trainer.evaluate(blobs);
      await trainer.train(blobs, { ...sgd, batchSize: 10, epochs: 30 });
      const metrics = await trainer.evaluate(blobs);
      expect(metrics.loss).toBeLessThan((untrained.loss as number) / 2);
      expect(metrics.examples).toBe(blobs.count);

      const rows = await trainer.predict(blobs.xs, blobs.count);
      let hits = 0;
      let loss = 0;
      for (let i = 0; i < blobs.count; i++) {
        const row = [...rows.subarray(i * 3, (i + 1) * 3)];
        expect(row.reduce((sum, p) => sum + p, 0)).toBeCloseTo(1, 5);
        const label = blobs.ys[i] as number;
        if (row.indexOf(Math.max(...row)) === label) hits++;
        loss -= Math.log(row[label] as number) / blobs.count;
      }
      expect(metrics.accuracy).toBeCloseTo(hits / blobs.count, 10);
      expect(metrics.loss).toBeCloseTo(loss, 3);
    });

    it('tells what the last layer makes its outputs of, beside them', async () => {
      const trainer = await made(classifier);
      await trainer.train(blobs, { ...sgd, batchSize: 10, epochs: 1 });
      const { outputs, features } = await trainer.predictWithFeatures(blobs.xs, blobs.count);
      expect(outputs).toEqual(await trainer.predict(blobs.xs, blobs.count));
      // The hidden layer: relu(x · kernel + bias), with a kernel of 2 × 8 and then the bias in the layout.
      const weights = await trainer.getWeights();
      const w = (i: number) => weights[i] as number;
      const hidden = Array.from({ length: blobs.count * 8 }, (_, i) => {
        const [x, y, unit] = [blobs.xs[2 * (i >> 3)] as number, blobs.xs[2 * (i >> 3) + 1] as number, i & 7];
        return Math.max(0, x * w(unit) + y * w(8 + unit) + w(16 + unit));
      });
      expectClose(features ?? [], hidden, 1e-5);
      const single = await made(line);
      const rows = Float32Array.of(1, 3, -2);
      expect((await single.predictWithFeatures(rows, 3)).features).toEqual(rows);
    });

    it('takes the bytes of pictures as 255ths', async () => {
      const bytes = Uint8Array.from({ length: blobs.xs.length }, (_, i) => (i * 37) % 256);
      const of = async (xs: Dataset['xs']) => {
        const trainer = await made(classifier);
        const { weights } = await trainer.train({ ...blobs, xs }, { ...sgd, batchSize: 7, epochs: 2 });
        const metrics = await trainer.evaluate({ ...blobs, xs });
        return { weights, metrics, rows: await trainer.predict(xs, blobs.count) };
      };
      expect(await of(bytes)).toEqual(await of(Float32Array.from(bytes, (byte) => byte / 255)));
    });

    it('brings the bytes of pictures to the range of their task', async () => {
      const data = { kind: 'image', width: 2, height: 1, channels: 1, classes: ['a', 'b', 'c'] } as const;
      const bytes = Uint8Array.from({ length: blobs.xs.length }, (_, i) => (i * 37) % 256);
      const of = async (range: '-1-1' | '0-255', xs: Dataset['xs']) => {
        const trainer = await made({ ...classifier, data: { ...data, classes: [...data.classes], range } });
        const how = { ...sgd, batchSize: 7, epochs: 2, learningRate: 1e-4 };
        const { weights } = await trainer.train({ ...blobs, xs }, how);
        const gradient = await trainer.gradient({ ...blobs, xs });
        return { weights, gradient, rows: await trainer.predict(xs, blobs.count) };
      };
      expect(await of('-1-1', bytes)).toEqual(
        await of(
          '-1-1',
          Float32Array.from(bytes, (byte) => (2 * byte - 255) / 255),
        ),
      );
      expect(await of('0-255', bytes)).toEqual(await of('0-255', Float32Array.from(bytes)));
    });

    it('measures a regression by its mean squared error, without an accuracy', async () => {
      const trainer = await made(line);
      trainer.setWeights(Float32Array.of(2, 1));
      const data: Dataset = { count: 2, xs: Float32Array.of(1, 3), ys: Float32Array.of(4, 5) };
      expect(await trainer.predict(data.xs, 2)).toEqual(Float32Array.of(3, 7));
      expect(await trainer.evaluate(data)).toEqual({ loss: 2.5, accuracy: null, examples: 2 });
      expect(await trainer.measure(data)).toEqual({ lossSum: 5, examples: 2, hits: null, perClass: null });
    });

    it('learns by one sigmoid unit as by a softmax over 0 and its logit, and predicts both classes', async () => {
      // softmax([0, z]) = [sigmoid(−z), sigmoid(z)]: the oracle is the formula of two classes.
      const trainer = await made(sigmoid);
      const before = Float32Array.of(0.3, -0.8, 0.1);
      trainer.setWeights(before);
      const rows = await trainer.predict(arms.xs, arms.count);
      const probabilities = Array.from({ length: arms.count }, (_, i) => {
        const [x, y] = [arms.xs[2 * i] as number, arms.xs[2 * i + 1] as number];
        return 1 / (1 + Math.exp(-(0.3 * x - 0.8 * y + 0.1)));
      });
      expectClose(
        rows,
        probabilities.flatMap((p) => [1 - p, p]),
        1e-5,
      );
      for (const classWeights of [null, [0.5, 3]] as const) {
        const weighted = classWeights === null ? trainer : await made({ ...sigmoid, classWeights });
        weighted.setWeights(before);
        const gradient = [0, 0, 0];
        let [loss, weightedLoss] = [0, 0];
        for (const [i, p] of probabilities.entries()) {
          const label = arms.ys[i] as number;
          const weight = classWeights?.[label] ?? 1;
          const own = -Math.log(label === 1 ? p : 1 - p);
          loss += own / arms.count;
          weightedLoss += (weight * own) / arms.count;
          const error = (weight * (p - label)) / arms.count;
          for (const [j, input] of [arms.xs[2 * i] as number, arms.xs[2 * i + 1] as number, 1].entries())
            gradient[j] = (gradient[j] as number) + error * input;
        }
        expectClose(await weighted.gradient(arms), gradient, 1e-5);
        const hits = probabilities.filter((p, i) => (p > 0.5 ? 1 : 0) === arms.ys[i]).length;
        const measured = await weighted.evaluate(arms);
        // What is measured has no weights; what is trained on has.
        expect(measured.loss).toBeCloseTo(loss, 5);
        expect(measured.accuracy).toBeCloseTo(hits / arms.count, 10);
        const { weights, loss: trained } = await weighted.train(arms, { ...sgd, batchSize: arms.count });
        expect(trained).toBeCloseTo(weightedLoss, 5);
        expectClose(
          weights,
          gradient.map((g, i) => (before[i] as number) - sgd.learningRate * g),
          1e-5,
        );
      }
    });

    it('stays finite where a sigmoid is sure, and wrong', async () => {
      const trainer = await made(sigmoid);
      trainer.setWeights(Float32Array.of(300, 0, 0));
      const wrong: Dataset = { count: 2, xs: Float32Array.of(1, 0, -1, 0), ys: Float32Array.of(0, 1) };
      expect((await trainer.evaluate(wrong)).loss).toBeCloseTo(300, 3);
      expectClose(await trainer.gradient(wrong), [1, 0, 0], 1e-5);
    });

    it('refuses labels that a sigmoid does not know', async () => {
      const trainer = await made(sigmoid);
      const bad: Dataset = { count: 1, xs: Float32Array.of(1, 0), ys: Float32Array.of(2) };
      await expect(trainer.measure(bad)).rejects.toMatchObject({ code: 'data-invalid' });
    });

    it("weighs each example's loss in training by its class, over the number of examples", async () => {
      const plain = await made(softmaxRegression);
      const before = await plain.getWeights();
      const classWeights = [2, 0.25, 1];
      const weighted = await made({ ...softmaxRegression, classWeights });
      weighted.setWeights(before);
      // The gradient is a sum over examples: those of each class alone, times its weight and its share.
      const expected = new Float64Array(before.length);
      for (const [label, weight] of classWeights.entries()) {
        const rows = [...blobs.ys.keys()].filter((i) => blobs.ys[i] === label);
        const own: Dataset = {
          count: rows.length,
          xs: Float32Array.from(rows.flatMap((i) => [...blobs.xs.subarray(2 * i, 2 * i + 2)])),
          ys: new Float32Array(rows.length).fill(label),
        };
        for (const [i, g] of (await plain.gradient(own)).entries())
          expected[i] = (expected[i] as number) + (weight * g * rows.length) / blobs.count;
      }
      expectClose(await weighted.gradient(blobs), [...expected], 1e-5);
      expect((await weighted.evaluate(blobs)).loss).toBeCloseTo((await plain.evaluate(blobs)).loss ?? 0, 6);
    });

    it('follows Huber: squares up to δ, and straight on beyond', async () => {
      const trainer = await made({ ...line, loss: 'huber', huberDelta: 0.5 });
      trainer.setWeights(Float32Array.of(2, 1));
      // Errors of −1, 0.25 and 2: δ·|e| − ½δ², ½e², δ·|e| − ½δ².
      const data: Dataset = { count: 3, xs: Float32Array.of(1, 2, 3), ys: Float32Array.of(4, 4.75, 5) };
      const loss = (0.375 + 0.03125 + 0.875) / 3;
      expect(await trainer.evaluate(data)).toEqual({
        loss: expect.closeTo(loss, 6) as number,
        accuracy: null,
        examples: 3,
      });
      const gradient = [(-0.5 * 1 + 0.25 * 2 + 0.5 * 3) / 3, (-0.5 + 0.25 + 0.5) / 3];
      expectClose(await trainer.gradient(data), gradient, 1e-6);
      expect((await trainer.train(data, sgd)).loss).toBeCloseTo(loss, 5);
    });

    it('predicts several numbers, with a loss that is their mean', async () => {
      const trainer = await made(pair);
      // In the layout: the kernel of 1 × 2, then the bias.
      trainer.setWeights(Float32Array.of(2, -1, 1, 0.5));
      const data: Dataset = { count: 2, xs: Float32Array.of(1, 3), ys: Float32Array.of(4, 0, 5, -2) };
      expect(await trainer.predict(data.xs, 2)).toEqual(Float32Array.of(3, -0.5, 7, -2.5));
      // Errors of −1, −0.5, 2 and −0.5.
      const measured = await trainer.evaluate(data);
      expect(measured.loss).toBeCloseTo((1 + 0.25 + 4 + 0.25) / 4, 6);
      expectClose(await trainer.gradient(data), [2.5, -1, 0.5, -0.5], 1e-5);
      const short = { ...data, ys: data.ys.subarray(2) };
      await expect(trainer.measure(short)).rejects.toMatchObject({ code: 'data-invalid' });
    });

    it('measures what the task asks for, in the unit of the target', async () => {
      const scaled: ModelDescription = {
        ...line,
        data: {
          kind: 'table',
          features: [{ name: 'x', mean: 0, scale: 1 }],
          target: { kind: 'number', name: 'y', mean: 5, scale: 10 },
        },
        metrics: ['mae', 'rmse', 'r2'],
      };
      const trainer = await made(scaled);
      trainer.setWeights(Float32Array.of(2, 1));
      // Errors of −1 and 2, ten times as large in the unit; squares of targets around their mean: 0.5.
      const data: Dataset = { count: 2, xs: Float32Array.of(1, 3), ys: Float32Array.of(4, 5) };
      const { values } = await trainer.evaluate(data);
      expect(values?.mae).toBeCloseTo(15, 4);
      expect(values?.rmse).toBeCloseTo(10 * Math.sqrt(2.5), 4);
      expect(values?.r2).toBeCloseTo(1 - 5 / 0.5, 4);
    });

    it('measures areas, recall and F1 of what it predicts', async () => {
      const trainer = await made({ ...sigmoid, metrics: ['auroc', 'recall', 'f1'], threshold: 0.7 });
      trainer.setWeights(Float32Array.of(1, 0, 0));
      // Probabilities of 0.88, 0.73, 0.5 and 0.27.
      const data: Dataset = {
        count: 4,
        xs: Float32Array.of(2, 0, 1, 0, 0, 0, -1, 0),
        ys: Float32Array.of(1, 0, 1, 0),
      };
      const { values } = await trainer.evaluate(data);
      expect(values?.auroc).toBeCloseTo(0.75, 10);
      expect(values?.recall).toBeCloseTo(0.5, 10);
      expect(values?.f1).toBeCloseTo(0.5, 10);
    });

    it('measures nothing over no examples', async () => {
      const trainer = await made(classifier);
      const nothing: Dataset = { count: 0, xs: new Float32Array(0), ys: new Float32Array(0) };
      expect(await trainer.evaluate(nothing)).toEqual({ loss: null, accuracy: null, examples: 0 });
      expect(await trainer.predict(nothing.xs, 0)).toHaveLength(0);
      await expect(trainer.train(nothing, sgd)).rejects.toMatchObject({ code: 'data-empty' });
    });

    it('refuses data that disagrees with the model or itself', async () => {
      const trainer = await made(classifier);
      for (const wrong of [
        { ...blobs, count: blobs.count - 1 },
        { ...blobs, xs: blobs.xs.subarray(1) },
        { ...blobs, ys: blobs.ys.map(() => 3) },
        { ...blobs, ys: blobs.ys.map(() => 0.5) },
      ]) {
        await expect(trainer.train(wrong, sgd)).rejects.toMatchObject({ code: 'data-invalid' });
      }
    });

    it('says so when training diverges', async () => {
      const trainer = await made(line);
      const data: Dataset = { count: 2, xs: Float32Array.of(10, 20), ys: Float32Array.of(1, 2) };
      const training = trainer.train(data, { ...sgd, learningRate: 100, epochs: 50 });
      await expect(training).rejects.toMatchObject({ code: 'training-diverged' });
    });

    it('stops when asked to, and can go on afterwards', async () => {
      const trainer = await made(classifier);
      const stop = new AbortController();
      const how = { ...sgd, batchSize: 1, epochs: 1000 };
      const training = trainer.train(blobs, how, {
        signal: stop.signal,
        onProgress: () => stop.abort(),
      });
      await expect(training).rejects.toMatchObject({ name: 'AbortError' });
      expect((await trainer.train(blobs, sgd)).steps).toBe(1);
    });

    it('reports the end of every epoch with its loss', async () => {
      const trainer = await made(classifier);
      const ends: number[] = [];
      const how = { ...sgd, batchSize: 10, epochs: 3 };
      const result = await trainer.train(blobs, how, {
        onProgress: (progress) => {
          expect(progress).toMatchObject({ epochs: 3, steps: Math.ceil(blobs.count / 10) });
          if (progress.step === progress.steps) ends.push(progress.loss as number);
        },
      });
      expect(ends).toHaveLength(3);
      expect(ends.at(-1)).toBe(result.loss);
      expect(result.examples).toBe(blobs.count);
      expect(result.lossSum / result.examples).toBe(result.loss);
    });

    it('lets the event loop turn while it trains', async () => {
      const trainer = await made(classifier);
      const { port1, port2 } = new MessageChannel();
      const stop = new AbortController();
      let turns = 0;
      port1.onmessage = () => {
        if (++turns > 1) stop.abort();
        else port2.postMessage(null);
      };
      port2.postMessage(null);
      // Long enough for the fastest backend; the test never waits for its end.
      const training = trainer.train(
        blobs,
        { ...sgd, batchSize: 1, epochs: 20_000 },
        { signal: stop.signal },
      );
      await expect(training).rejects.toMatchObject({ name: 'AbortError' });
      port1.close();
    });

    it('is of no use once disposed of, which may be done twice', async () => {
      const trainer = await made(classifier);
      trainer.dispose();
      trainer.dispose();
      await expect(trainer.getWeights()).rejects.toThrow();
    });
  });
}

const dense = (name: string, units: number, activation: string, inputs?: number) => ({
  class_name: 'Dense',
  config: {
    name,
    units,
    activation,
    ...(inputs === undefined ? {} : { batch_input_shape: [null, inputs] }),
  },
});

const model = (...layers: unknown[]): Topology => ({
  class_name: 'Sequential',
  config: { name: 'm', layers },
});

const points = {
  kind: 'table' as const,
  features: [
    { name: 'x', mean: 0, scale: 1 },
    { name: 'y', mean: 0, scale: 1 },
  ],
  target: { kind: 'class' as const, name: 'blob', classes: ['a', 'b', 'c'] },
};

const classifier: ModelDescription = {
  topology: model(dense('hidden', 8, 'relu', 2), dense('class', 3, 'softmax')),
  data: points,
  loss: 'categoricalCrossentropy',
};

const softmaxRegression: ModelDescription = {
  ...classifier,
  topology: model(dense('class', 3, 'softmax', 2)),
};

const line: ModelDescription = {
  topology: model(dense('y', 1, 'linear', 1)),
  data: {
    kind: 'table',
    features: [{ name: 'x', mean: 0, scale: 1 }],
    target: { kind: 'number', name: 'y' },
  },
  loss: 'meanSquaredError',
};

/** One sigmoid unit for two classes. */
const sigmoid: ModelDescription = {
  topology: model(dense('class', 1, 'sigmoid', 2)),
  data: {
    kind: 'table',
    features: [
      { name: 'x', mean: 0, scale: 1 },
      { name: 'y', mean: 0, scale: 1 },
    ],
    target: { kind: 'class', name: 'side', classes: ['no', 'yes'] },
  },
  loss: 'binaryCrossentropy',
};

/** Two numbers of one. */
const pair: ModelDescription = {
  topology: model(dense('y', 2, 'linear', 1)),
  data: {
    kind: 'table',
    features: [{ name: 'x', mean: 0, scale: 1 }],
    target: { kind: 'numbers', name: 'y', columns: [{ name: 'a' }, { name: 'b' }] },
  },
  loss: 'meanSquaredError',
};

/** Points on three arms around the origin: easy to tell apart, not linearly trivial at the middle. */
const blobs: Dataset = (() => {
  const count = 60;
  const xs = new Float32Array(count * 2);
  const ys = new Float32Array(count);
  for (let i = 0; i < count; i++) {
    const angle = ((i % 3) * 2 * Math.PI) / 3 + 0.5 * Math.sin(i * 12.9898);
    const radius = 0.5 + (i % 7) / 7;
    xs.set([radius * Math.cos(angle), radius * Math.sin(angle)], i * 2);
    ys[i] = i % 3;
  }
  return { count, xs, ys };
})();

/** The same points, of the first arm or of another. */
const arms: Dataset = { ...blobs, ys: blobs.ys.map((label) => (label === 0 ? 1 : 0)) };

/** More examples than a batch of a gradient holds, and no multiple of it. */
const many: Dataset = {
  count: 247,
  xs: Float32Array.from({ length: 494 }, (_, i) => Math.sin(i * 1.7)),
  ys: Float32Array.from({ length: 247 }, (_, i) => (i * i) % 3),
};

/** Examples of the line that are all the same, so that their order does not matter. */
const sameExamples: Dataset = { count: 4, xs: new Float32Array(4).fill(2), ys: new Float32Array(4).fill(3) };

const objectives: [string, Objective][] = [
  ['a factor', { scale: 0.4, pull: 0, anchor: null, offset: null }],
  ['a factor for each weight', { scale: Float32Array.of(0.3, 1.6), pull: 0, anchor: null, offset: null }],
  ['a pull toward 0', { scale: 1, pull: 0.7, anchor: null, offset: null }],
  ['an offset', { scale: 1, pull: 0, anchor: null, offset: Float32Array.of(1.5, -2.5) }],
  [
    'a factor, a pull and an offset',
    { scale: 0.6, pull: 0.7, anchor: Float32Array.of(-1, 0.5), offset: Float32Array.of(1.5, -2.5) },
  ],
  [
    'a factor for each weight, a pull and an offset',
    {
      scale: Float32Array.of(0, 1.6),
      pull: 0.7,
      anchor: Float32Array.of(-1, 0.5),
      offset: Float32Array.of(1.5, -2.5),
    },
  ],
];

/**
 * One step of η = 0.1 from (0.5, −0.25), where the line's gradient on (2, 3) is (−9, −4.5), and its result.
 */
const strategies: [string, Objective, number[]][] = [
  [
    // c − cᵢ = (1.5, −0.5) − (−0.5, 0.5); g = (−7, −5.5). Karimireddy et al., 2020, equation 3.
    'SCAFFOLD',
    { scale: 1, pull: 0, anchor: null, offset: Float32Array.of(2, -1) },
    [1.2, 0.3],
  ],
  [
    // α = 0.5, w₀ = (1, −1), hᵢ = (0.4, −0.2); Acar et al., 2021.
    // g = (−9 + 0.25 − 0.5 − 0.4, −4.5 − 0.125 + 0.5 + 0.2).
    'FedDyn',
    { scale: 1, pull: 0.5, anchor: null, offset: Float32Array.of(-0.5 - 0.4, 0.5 + 0.2) },
    [1.465, 0.1425],
  ],
  [
    'FedDyn, its model as the anchor',
    { scale: 1, pull: 0.5, anchor: Float32Array.of(1, -1), offset: Float32Array.of(-0.4, 0.2) },
    [1.465, 0.1425],
  ],
  [
    // β = 0.9, m = (2, 1); g = (−0.9 + 1.8, −0.45 + 0.9). Karimireddy et al., 2021.
    'MimeLite',
    { scale: 0.1, pull: 0, anchor: null, offset: Float32Array.of(1.8, 0.9) },
    [0.41, -0.295],
  ],
];

/** One full-batch step of softmax regression with a 2×3 kernel and 3 biases. */
function softmaxStep(flat: Float32Array, data: Dataset, rate: number): { weights: number[]; loss: number } {
  const gradient = new Array<number>(9).fill(0);
  let loss = 0;
  for (let i = 0; i < data.count; i++) {
    const x = [...data.xs.subarray(i * 2, i * 2 + 2), 1];
    const logits = [0, 1, 2].map((c) => x.reduce((sum, v, f) => sum + v * (flat[f * 3 + c] as number), 0));
    const total = logits.reduce((sum, z) => sum + Math.exp(z), 0);
    const label = data.ys[i] as number;
    for (let c = 0; c < 3; c++) {
      const p = Math.exp(logits[c] as number) / total;
      if (c === label) loss -= Math.log(p) / data.count;
      for (const [f, v] of x.entries()) {
        gradient[f * 3 + c] =
          (gradient[f * 3 + c] as number) + ((p - (c === label ? 1 : 0)) * v) / data.count;
      }
    }
  }
  return { weights: gradient.map((g, i) => (flat[i] as number) - rate * g), loss };
}

/** Steps of an optimizer on (2w + b − 3)², the loss of the line on the one example (2, 3). */
function lineSteps(
  start: [number, number],
  optimizer: LocalTraining['optimizer'],
  rate: number,
  steps: number,
  objective: Objective | null = null,
): number[] {
  const { scale, pull, anchor, offset } = objective ?? { scale: 1, pull: 0, anchor: null, offset: null };
  const weights = [...start];
  const first = [0, 0];
  const second = [0, 0];
  for (let t = 1; t <= steps; t++) {
    const error = 2 * (weights[0] as number) + (weights[1] as number) - 3;
    for (const [i, slope] of [4 * error, 2 * error].entries()) {
      const factor = typeof scale === 'number' ? scale : (scale[i] as number);
      const away = (weights[i] as number) - (anchor?.[i] ?? 0);
      const g = factor * slope + pull * away + (offset?.[i] ?? 0);
      if (optimizer === 'adam') {
        first[i] = 0.9 * (first[i] as number) + 0.1 * g;
        second[i] = 0.999 * (second[i] as number) + 0.001 * g * g;
        const corrected = Math.sqrt((second[i] as number) / (1 - 0.999 ** t));
        weights[i] = (weights[i] as number) - (rate * (first[i] as number)) / (1 - 0.9 ** t) / corrected;
      } else {
        first[i] = (optimizer === 'momentum' ? 0.9 * (first[i] as number) : 0) + g;
        weights[i] = (weights[i] as number) - rate * (first[i] as number);
      }
    }
  }
  return weights;
}

function expectClose(actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number): void {
  expect(actual.length).toBe(expected.length);
  for (let i = 0; i < actual.length; i++) {
    expect(Math.abs((actual[i] as number) - (expected[i] as number)), `number ${i}`).toBeLessThan(tolerance);
  }
}
