import { readFileSync } from 'node:fs';
import { type Case, isObject, type Json, member, numberOf, type Tolerance } from './case.ts';

/** Thrown for a file that cannot be run. The message names the file and the cause. */
export class BadFile extends Error {
  override readonly name = 'BadFile';
}

/**
 * Reads the cases of a file.
 *
 * @throws BadFile where the file is missing, no JSON, or without cases.
 */
export function readCases(file: string): Case[] {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (thrown) {
    throw new BadFile(`${file} cannot be read: ${reason(thrown)}`);
  }
  let json: Json;
  try {
    json = JSON.parse(text) as Json;
  } catch (thrown) {
    throw new BadFile(`${file} is not JSON: ${reason(thrown)}`);
  }
  const cases = casesOf(json);
  if (cases.length === 0) throw new BadFile(`${file} has no cases`);
  return cases;
}

function reason(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

function casesOf(file: Json): Case[] {
  const cases = Array.isArray(file) ? file : member(file, 'cases');
  if (Array.isArray(cases))
    return cases.map((one, i) => withStreams(caseOf(one, i), member(file, 'streams')));
  return [...compressionCases(file), ...robustnessCases(file), ...detectorCases(file), ...listedCases(file)];
}

function caseOf(value: Json, index: number): Case {
  const text = (name: string) => {
    const found = member(value, name);
    return typeof found === 'string' ? found : '';
  };
  const params = member(value, 'params');
  return {
    id: text('id') || text('name') || `case ${index}`,
    operation: text('operation'),
    inputs: member(value, 'inputs') ?? {},
    params: isObject(params) ? params : {},
    expected: isObject(value) ? value.expected : undefined,
    tolerance: toleranceOf(member(value, 'tolerance')),
    notes: text('notes'),
  };
}

/** Reads a tolerance; exact where a case gives none. What `per_key` leaves out of a single result's holds as for the others. */
function toleranceOf(value: Json | undefined, otherwise: Tolerance = { atol: 0, rtol: 0 }): Tolerance {
  const all = {
    atol: numberOf(member(value, 'atol')) ?? otherwise.atol,
    rtol: numberOf(member(value, 'rtol')) ?? otherwise.rtol,
  };
  const perKey = member(value, 'per_key');
  if (!isObject(perKey)) return all;
  const entries = Object.entries(perKey).map(([path, one]) => [path, toleranceOf(one, all)] as const);
  return { ...all, perKey: Object.fromEntries(entries) };
}

/** Replaces an input that names one of the file's streams by the stream's numbers. */
function withStreams(one: Case, streams: Json | undefined): Case {
  if (!isObject(streams) || !isObject(one.inputs)) return one;
  const inputs = Object.entries(one.inputs).map(([name, value]) => [
    name,
    typeof value === 'string' && Object.hasOwn(streams, value) ? streamOf(streams[value]) : value,
  ]);
  return { ...one, inputs: Object.fromEntries(inputs) as Json };
}

/**
 * The numbers of a stream: a list; a text of digits; or `{ lcg_seed, segments }`, drawn by Lehmer's generator
 * s ← 16807 s mod (2³¹ − 1), u = s / (2³¹ − 1), and offset + scale · u in each segment `[n, offset, scale]`.
 */
function streamOf(stream: Json | undefined): Json {
  const data = member(stream, 'data') ?? stream ?? null;
  if (typeof data === 'string') return [...data].map(Number);
  let state = numberOf(member(data, 'lcg_seed'));
  const segments = member(data, 'segments');
  if (state === undefined || !Array.isArray(segments)) return data;
  const numbers: number[] = [];
  for (const segment of segments) {
    const [n = 0, offset = 0, scale = 0] = Array.isArray(segment) ? segment.map((x) => numberOf(x) ?? 0) : [];
    for (let i = 0; i < n; i++) {
      state = (16_807 * state) % 2_147_483_647;
      numbers.push(offset + scale * (state / 2_147_483_647));
    }
  }
  return numbers;
}

const PLAIN = { params: {}, tolerance: { atol: 0, rtol: 0 }, notes: '' };

/** Cases of compression.json: errors of codecs over vectors of several distributions, and the limits of EDEN. */
function* compressionCases(file: Json): Generator<Case> {
  const measured = member(file, 'measured');
  for (const one of Array.isArray(measured) ? measured : []) {
    const nmse = member(one, 'nmse');
    for (const [codec, expected] of isObject(nmse) ? Object.entries(nmse) : [])
      yield {
        ...PLAIN,
        id: `compression.${String(member(one, 'dist'))}.${codec}`,
        operation: 'codec_error',
        inputs: one,
        params: { codec },
        expected,
      };
  }
  const limits = member(file, 'eden_asymptotic_nmse_by_bits');
  for (const [bits, expected] of isObject(limits) ? Object.entries(limits) : [])
    yield {
      ...PLAIN,
      id: `compression.eden.${bits}`,
      operation: 'eden_asymptotic_error',
      inputs: { bits },
      expected,
    };
}

/** Cases of robustness.json: one input, and the result of each rule. */
function* robustnessCases(file: Json): Generator<Case> {
  const seen = member(file, 'byzfl_docstring_vectors_seen');
  const rows = member(seen, 'x');
  if (!isObject(seen) || !Array.isArray(rows)) return;
  const clients = rows.map((row) => ({ arrays: [row], num_examples: 1 }));
  const operations: { readonly [rule: string]: string } = {
    average: 'weighted_average',
    median: 'coordinate_median',
  };
  for (const [rule, expected] of Object.entries(seen)) {
    if (rule === 'source' || rule === 'x') continue;
    if (rule === 'clipping_c2' && Array.isArray(expected)) {
      for (const [i, row] of rows.entries())
        yield {
          ...PLAIN,
          id: `robustness.${rule}.${i}`,
          operation: 'clip_by_global_norm',
          inputs: { arrays: [row] },
          params: { clipping_norm: 2 },
          expected: [expected[i] ?? null],
        };
      continue;
    }
    const operation = operations[rule] ?? rule;
    yield { ...PLAIN, id: `robustness.${rule}`, operation, inputs: { clients }, expected: [expected] };
  }
}

/** Cases of drift.json: each detector over each of its streams, with the places of its alarms and warnings. */
function* detectorCases(file: Json): Generator<Case> {
  const [detectors, streams] = [member(file, 'detectors'), member(file, 'streams')];
  for (const one of Array.isArray(detectors) ? detectors : []) {
    const [operation, params, expect] = [
      member(one, 'detector'),
      member(one, 'params'),
      member(one, 'expect'),
    ];
    for (const [stream, places] of isObject(expect) ? Object.entries(expect) : []) {
      const [drifts, warnings] = [
        member(places, 'ran', 'seen'),
        member(places, 'ran_warnings', 'seen_warnings'),
      ];
      yield {
        ...PLAIN,
        id: `drift.${String(operation)}.${stream}`,
        operation: String(operation),
        inputs: { stream: streamOf(member(streams, stream)) },
        params: isObject(params) ? params : {},
        expected: { drifts: drifts ?? null, ...(warnings === undefined ? {} : { warnings }) },
      };
    }
  }
}

/** Lists of the older files without an operation of the product. */
const LISTS = [
  'distances',
  'unit_test_values_seen',
  'analytic_gaussian_ran',
  'ran_here',
  'ran_here_fixed_size_sampling',
  'single_step_rdp_quadrature',
];

function* listedCases(file: Json): Generator<Case> {
  for (const list of LISTS) {
    const found = member(file, list);
    const items = Array.isArray(found) ? found : member(found, 'cases');
    for (const [i, one] of Array.isArray(items) ? items.entries() : []) {
      const name = member(one, 'name', 'test', 'detector', 'kind');
      const id = `${list}.${i}${typeof name === 'string' ? `.${name}` : ''}`;
      yield { ...PLAIN, id, operation: list, inputs: one, expected: one };
    }
  }
}
