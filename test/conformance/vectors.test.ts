import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { comparisonNumbers } from './raw-comparison.ts';
import {
  contributionFrame,
  contributionHash,
  contributionPayload,
  contributionText,
  limbs,
  measureSum,
  readMeasures,
  type Tensor,
} from './raw-contribution.ts';
import { keysFrom } from './raw-identity.ts';
import {
  aggregate,
  decodeFloat16,
  decodeInt4,
  decodeInt8,
  decodeTop,
  encodedFrame,
  layoutHash,
  randomBits,
  type Spec,
  weightsHash,
  wholeModel,
} from './raw-participant.ts';
import { inputsOf, recipeHash, recipeText } from './raw-recipe.ts';
import {
  canonicalHash,
  guardNumbers,
  inverseOf,
  momentsOf,
  shareOf,
  sharesOf,
  squareOf,
} from './raw-report.ts';
import { file, vectors } from './vectors.ts';

/*
 * docs/vectors.json, the examples of docs/protocol.md and the product are held against one another, and against the
 * reader that is written from the page alone.
 */
const written = JSON.parse(readFileSync(file, 'utf8')) as ReturnType<typeof vectors>;
const page = readFileSync(new URL('../../docs/protocol.md', import.meta.url), 'utf8');

const bytesOf = (hex: string) => Buffer.from(hex.replaceAll(' ', ''), 'hex');
const floatsOf = (hex: string) => {
  const bytes = bytesOf(hex);
  return Array.from({ length: bytes.length / 4 }, (_, i) => bytes.readFloatLE(4 * i));
};
const float32Bytes = (values: readonly number[]) => new Uint8Array(Float32Array.from(values).buffer);
const codes: Record<string, number> = { float32: 0, float16: 1, int8: 2, int4: 3, top1: 4, top10: 5 };

/** "Codecs", of numbers that are all trained. */
function decode(codec: string, payload: Uint8Array, count: number): number[] {
  switch (codec) {
    case 'float32':
      return floatsOf(Buffer.from(payload).toString('hex'));
    case 'float16':
      return decodeFloat16(payload);
    case 'int8':
      return decodeInt8(payload, count);
    case 'int4':
      return decodeInt4(payload, count);
    default:
      return decodeTop(payload, count);
  }
}

/** The same where some are not: these come first, as float32. */
function decodeModel(codec: string, payload: Uint8Array, layout: readonly Spec[]): number[] {
  const sizes = layout.map(({ shape }) => shape.reduce((size, length) => size * length, 1));
  const count = (trainable: boolean) =>
    sizes.reduce((sum, size, i) => (layout[i]?.trainable === trainable ? sum + size : sum), 0);
  if (codec === 'float32') return decode(codec, payload, count(true) + count(false));
  const plainBytes = 4 * count(false);
  const plain = floatsOf(Buffer.from(payload.subarray(0, plainBytes)).toString('hex'));
  const trained = decode(codec, payload.subarray(plainBytes), count(true));
  return layout.flatMap(({ trainable }, i) => (trainable ? trained : plain).splice(0, sizes[i]));
}

type Json = Record<string, unknown>;

/** How many bytes a section has. */
function sectionBytes(codec: string, layout: readonly Spec[]): number {
  const size = (of: readonly Spec[]) =>
    of.reduce((sum, { shape }) => sum + shape.reduce((product, length) => product * length, 1), 0);
  const steps = size(layout.filter(({ trainable }) => trainable));
  const plain = 4 * (size(layout) - steps);
  const rest = steps % 4096;
  const padded = rest === 0 ? 0 : 4 + Math.max(256, 2 ** Math.ceil(Math.log2(rest))) / 2;
  const bytes: Record<string, number> = {
    float32: 4 * steps,
    float16: 2 * steps,
    int8: steps + 4 * Math.ceil(steps / 1024),
    int4: 4 + 2052 * Math.floor(steps / 4096) + padded,
    top1: 8 * Math.ceil(steps / 100),
    top10: 8 * Math.ceil(steps / 10),
  };
  return plain + (bytes[codec] as number);
}

/** A float32 in whole units of 2⁻³⁶, ties to even. */
function exactUnits(value: number): bigint {
  const scaled = value * 2 ** 36;
  const floor = Math.floor(scaled);
  const up = scaled - floor > 0.5 || (scaled - floor === 0.5 && floor % 2 !== 0);
  return BigInt(up ? floor + 1 : floor);
}

/** All texts of a value. */
function textsOf(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsOf) : [];
}

describe('docs/vectors.json', () => {
  it('is what the product computes; `node test/conformance/vectors.ts` writes it', () => {
    expect(written).toEqual(vectors());
  });

  it.each(written.codecs.map((one, i) => [one.codec, i] as const))(
    'has payloads of %s that read as it says: %i',
    (codec, i) => {
      const { layout, payload, decoded } = written.codecs[i] as (typeof written.codecs)[0];
      const read = decodeModel(codec, bytesOf(payload), layout);
      expect(Buffer.from(float32Bytes(read))).toEqual(bytesOf(decoded));
    },
  );

  it.each(written.recipes.map((one, i) => [one.data.kind, i] as const))(
    'has recipes of %s that are hashed as it says, and rows that become the inputs and targets it says: %i',
    (_, i) => {
      const { data, text, hash, rows } = written.recipes[i] as (typeof written.recipes)[0];
      expect(recipeText(data)).toBe(text);
      expect(recipeHash(data)).toBe(hash);
      for (const { stored, label, inputs, target } of rows) {
        expect(inputs).toEqual(inputsOf(data, stored).map(Math.fround));
        const { mean = 0, scale = 1 } =
          data.kind === 'table' && data.target.kind === 'number' ? data.target : {};
        expect(target).toBe(Math.fround(((label as number) - mean) / scale));
      }
    },
  );

  it('has long payloads that read as it says', () => {
    for (const { codec, parameters, payload, decodedSha256 } of written.longCodecs) {
      const read = decode(codec, bytesOf(payload), parameters);
      expect(createHash('sha256').update(float32Bytes(read)).digest('hex')).toBe(decodedSha256);
    }
  });

  it.each(written.contributions.map((one, i) => [one.codec, i] as const))(
    'has contributions of %s that are laid out, hashed and read as it says: %i',
    (codec, i) => {
      const vector = written.contributions[i] as (typeof written.contributions)[0];
      const { text, hash, payload, frame, decoded, parameters } = vector;
      const layout = vector.layout as readonly Tensor[];
      expect(contributionText(layout)).toBe(text);
      expect(contributionHash(layout)).toEqual(bytesOf(hash));
      const encoded = { codec: codes[codec] as number, payload: bytesOf(payload) };
      expect(encodedFrame(2, bytesOf(hash), parameters, encoded)).toEqual(bytesOf(frame));
      // Section after section; the measures last.
      const groups = [...new Set(layout.filter(({ role }) => role !== 'measure').map(({ group }) => group))];
      let rest = bytesOf(payload);
      for (const group of groups) {
        const model = layout
          .filter((tensor) => tensor.group === group)
          .map(({ name, shape, role }) => ({ name, shape, trainable: role === 'step' }));
        const bytes = sectionBytes(codec, model);
        const read = decodeModel(codec, rest.subarray(0, bytes), model);
        expect(Buffer.from(float32Bytes(read))).toEqual(bytesOf((decoded.vectors as Json)[group] as string));
        rest = rest.subarray(bytes);
      }
      expect(readMeasures(layout, rest)).toEqual(decoded.measures);
    },
  );

  it('has contributions that are written as it says, where the page gives the bytes', () => {
    for (const { codec, layout, numbers, measures, payload, frame } of written.contributions) {
      if (codec !== 'float32') continue;
      const values = Object.entries(numbers).map(([group, bytes]) => [group, floatsOf(bytes as string)]);
      const all = { ...Object.fromEntries(values), ...measures };
      expect(Buffer.from(contributionPayload(layout as readonly Tensor[], all))).toEqual(bytesOf(payload));
      expect(Buffer.from(contributionFrame(layout as readonly Tensor[], all))).toEqual(bytesOf(frame));
    }
  });

  it('has limbs and sums of measures that the page’s rules give', () => {
    const { values, numbers, read } = written.limbs;
    const both = values.map(limbs);
    expect(floatsOf(numbers)).toEqual([...both.map(([high]) => high), ...both.map(([, low]) => low)]);
    expect(both.map(([high, low]) => high + low)).toEqual(read);
    for (const { unit, values: given, sum } of written.measureSums) expect(measureSum(given, unit)).toBe(sum);
  });

  it('has a report that is named, counted, laid out and framed by the page’s rules', () => {
    const { binning, reference, terms, consent, counted, contribution } = written.report;
    expect(canonicalHash(binning)).toBe(reference);
    const layout = contribution.layout as readonly Tensor[];
    expect(new Set(layout.map(({ group }) => group))).toEqual(new Set([`report-${reference.slice(0, 32)}`]));
    const agreed = {
      columns: [
        { kind: 'number', name: 'age' },
        { kind: 'category', name: 'colour', values: 2 },
      ],
      prediction: { classes: 2 },
      confidence: false,
      // Those of statistics as well.
      numbers: [
        ...layout.map(({ name }) => name),
        ...['label-present', 'label-inverse', 'label-shares', 'label-squares', 'means', 'mean-squares'],
      ],
      ...terms,
    };
    expect(canonicalHash(agreed)).toBe(consent);
    const { observations, counts, missing, outside, labelled, errors, guard } = counted;
    const sizes = counts.map((bins) => bins.reduce((sum, one) => sum + one, 0));
    const shares = counts.flatMap(sharesOf);
    const missed = missing.map((count) => shareOf(count, observations));
    const beyond = outside.map((count, i) => shareOf(count, sizes[i] as number));
    const error = shareOf(errors, labelled);
    const numbers = {
      reports: [1],
      observations: [observations / 65_536],
      present: sizes.map(() => 1),
      inverse: sizes.map(inverseOf),
      shares,
      squares: shares.map(squareOf),
      missing: missed,
      'missing-squares': missed.map(squareOf),
      'missing-inverse': [inverseOf(observations)],
      outside: beyond,
      'outside-squares': beyond.map(squareOf),
      labelled: [1],
      errors: [error],
      'errors-square': [squareOf(error)],
      warned: [0],
      ...guardNumbers(guard),
    };
    expect(contribution.measures).toEqual(numbers);
    expect(layout.map(({ name }) => name)).toEqual(Object.keys(numbers));
    expect(contributionText(layout)).toBe(contribution.text);
    expect(contributionHash(layout)).toEqual(bytesOf(contribution.hash));
    expect(Buffer.from(contributionFrame(layout, numbers))).toEqual(bytesOf(contribution.frame));
  });

  it('has statistics of labels and moments by the page’s rules', () => {
    const { binning, reference, examples, contribution } = written.statistics;
    expect(canonicalHash(binning)).toBe(reference);
    const layout = contribution.layout as readonly Tensor[];
    const bins = (edges: readonly number[], values: readonly number[]) => {
      const counts = [...edges, 0].map(() => 0);
      for (const value of values) {
        const bin = edges.filter((edge) => edge <= value).length;
        counts[bin] = (counts[bin] as number) + 1;
      }
      return counts;
    };
    const labels = examples.flatMap(({ label }) => (label === null ? [] : [label]));
    const labelShares = sharesOf(bins([0, 1.5], labels));
    const ages = examples.map(({ columns }) => columns[0] as number);
    const moments = [momentsOf(ages, [0, 61]), momentsOf(labels, [-1.5, 3])];
    const numbers = {
      'label-present': [1],
      'label-inverse': [inverseOf(labels.length)],
      'label-shares': labelShares,
      'label-squares': labelShares.map(squareOf),
      means: moments.map(({ mean }) => mean),
      'mean-squares': moments.map(({ square }) => square),
    };
    expect(contribution.measures).toMatchObject(numbers);
    expect(contribution.measures['shares']?.slice(0, 3)).toEqual(sharesOf(bins([20, 40.5], ages)));
    expect(layout.slice(-6).map(({ name }) => name)).toEqual(Object.keys(numbers));
    expect(contributionText(layout)).toBe(contribution.text);
    expect(Buffer.from(contributionFrame(layout, contribution.measures))).toEqual(
      bytesOf(contribution.frame),
    );
  });

  it.each([
    ['comparison', true],
    ['recentComparison', false],
  ] as const)('has a %s that is named, measured, laid out and framed by the page’s rules', (name, older) => {
    const { production, candidate, number, classes, examples, contribution } = written[name];
    expect(written[name].older).toBe(older);
    const layout = contribution.layout as readonly Tensor[];
    const group = `compare-${canonicalHash({ production, candidate, number }).slice(0, 32)}`;
    expect(new Set(layout.map((tensor) => tensor.group))).toEqual(new Set([group]));
    const numbers = comparisonNumbers(examples, classes, older);
    expect(contribution.measures).toEqual(numbers);
    expect(layout.map(({ name }) => name)).toEqual(Object.keys(numbers));
    expect(contributionText(layout)).toBe(contribution.text);
    expect(Buffer.from(contributionFrame(layout, numbers as Record<string, number[]>))).toEqual(
      bytesOf(contribution.frame),
    );
  });

  it('has frames, layouts, hashes and random bits that the page’s rules give', () => {
    const kinds = { weights: 1, contribution: 2, steps: 3 } as const;
    for (const { kind, codec, layoutHash: hash, parameters, payload, frame } of [
      ...written.frames,
      written.steps,
    ]) {
      const encoded = { codec: codes[codec] as number, payload: bytesOf(payload) };
      expect(encodedFrame(kinds[kind], bytesOf(hash), parameters, encoded)).toEqual(bytesOf(frame));
    }
    for (const { layout, text, hash } of written.layouts) {
      expect(layoutHash(layout)).toEqual(bytesOf(hash));
      expect(createHash('sha256').update(text).digest().subarray(0, 16)).toEqual(bytesOf(hash));
    }
    expect(weightsHash(bytesOf(written.weightsHash.values))).toBe(written.weightsHash.hash);
    for (const [w, bits] of written.randomBits.words.entries()) {
      expect(randomBits(written.randomBits.seed, w)).toBe(BigInt(`0x${bits}`));
    }
  });

  it('has a model in parts that are put together, named and framed by the page’s rules', () => {
    const { layout, weights, hash, moving, frozen } = written.parts;
    const specs = (frozen: boolean) => layout.filter((spec: Spec) => (spec.frozen === true) === frozen);
    expect([layoutHash(specs(false)), layoutHash(specs(true))]).toEqual([
      bytesOf(moving.layoutHash),
      bytesOf(frozen.layoutHash),
    ]);
    const [moves, stays] = [floatsOf(moving.payload), floatsOf(frozen.payload)];
    expect(wholeModel(layout, moves, stays)).toEqual(floatsOf(weights));
    expect(weightsHash(bytesOf(weights))).toBe(hash);
    expect(weightsHash(bytesOf(moving.payload))).toBe(moving.hash);
    expect(weightsHash(bytesOf(frozen.payload))).toBe(frozen.hash);
    const framed = (layout: string, payload: string, count: number) =>
      encodedFrame(1, bytesOf(layout), count, { codec: 0, payload: bytesOf(payload) });
    expect(framed(moving.layoutHash, moving.payload, moves.length)).toEqual(bytesOf(moving.frame));
    expect(framed(frozen.layoutHash, frozen.payload, stays.length).subarray(0, 40)).toEqual(
      bytesOf(frozen.header),
    );
  });

  it('has an identity, steps and an aggregation that the page’s rules give', () => {
    const { privateKey, publicKey, id } = written.identity;
    expect(keysFrom(Buffer.from(privateKey, 'hex'))).toMatchObject({ key: publicKey, id });
    const { from, payload, to, base, checkpoint } = written.steps;
    const bytes = bytesOf(payload);
    const reached = [0, 1].reduce((weights, step) => {
      const change = decodeInt8(bytes.subarray((step * bytes.length) / 2), weights.length);
      return weights.map((weight, i) => Math.fround(weight + (change[i] as number)));
    }, floatsOf(from));
    expect(reached).toEqual(floatsOf(to));
    expect(weightsHash(bytesOf(from))).toBe(base);
    expect(weightsHash(bytesOf(to))).toBe(checkpoint);
    const { weights, contributions, next, checkpoint: aggregated, controlMean, count } = written.aggregation;
    const given = contributions.map(({ model, weight }) => ({ delta: floatsOf(model), examples: weight }));
    expect(aggregate(floatsOf(weights), given)).toEqual(floatsOf(next));
    expect(weightsHash(bytesOf(next))).toBe(aggregated);
    // By one: every contribution alike.
    const units = [0, 1, 2].map((i) =>
      contributions.reduce((sum, { control }) => sum + exactUnits(floatsOf(control)[i] as number), 0n),
    );
    expect(units.map(String)).toEqual(written.aggregation.controlSums);
    expect(units.map((sum) => Number(sum) / 2 ** 36 / count)).toEqual(controlMean);
  });
});

describe('docs/protocol.md', () => {
  const texts = textsOf(written);

  it('shows no bytes that are not in docs/vectors.json', () => {
    const inline = [...page.matchAll(/`((?:[0-9a-f]{2} )+[0-9a-f]{2}|[0-9a-f]{32}|[0-9a-f]{64})`/g)];
    const lines = [...page.matchAll(/^((?:[0-9a-f]{2} {1,2}){7,}[0-9a-f]{2})(?: {2,}|$)/gm)];
    const shown = [...inline, ...lines].map(([, bytes]) => (bytes as string).replaceAll('  ', ' '));
    expect(shown.length).toBeGreaterThan(15);
    for (const bytes of shown)
      expect(
        texts.filter((text) => text.includes(bytes)),
        bytes,
      ).not.toEqual([]);
  });

  it('shows the examples of docs/vectors.json', () => {
    const shown = page.replaceAll(/\s+/g, ' ');
    const { identity, layouts, weightsHash: hash, codecs, randomBits: random, aggregation } = written;
    const [contribution] = written.contributions;
    // The first of each codec but float32.
    const ofPage = codecs.slice(1, Object.keys(codes).length);
    const listed = [
      identity.publicKey,
      identity.id,
      identity.signature,
      identity.host,
      layouts[0]?.text.replace('\n', '⏎') as string,
      contribution?.text.replaceAll('\n', '⏎') as string,
      hash.hash,
      ...ofPage.map(({ payload }) => payload),
      ...ofPage.filter(({ encoding }) => encoding === 'free').map(({ decoded }) => decoded),
      ...random.words.map((bits, w) => `R(${w}) = \`${bits}\``),
      ...aggregation.mean.map(String).map((mean) => mean.replace('-', '−')),
      ...aggregation.sums.map((sum) => sum.replace('-', '−')),
      aggregation.next,
      written.parts.hash,
      ...[written.parts.moving, written.parts.frozen].flatMap(({ hash, text }) => [hash, text]),
    ];
    expect(listed.filter((text) => !shown.includes(text))).toEqual([]);
    const block = page.match(/```text\n(43 50 46 31[\s\S]*?)```/)?.[1] ?? '';
    const bytes = block
      .split('\n')
      .map((line) => line.match(/^(?:[0-9a-f]{2} {1,2})*[0-9a-f]{2}/)?.[0] ?? '');
    expect(bytesOf(bytes.join(''))).toEqual(bytesOf(contribution?.frame as string));
  });
});
