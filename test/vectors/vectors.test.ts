import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Json } from './case.ts';
import { operations } from './operations/index.ts';
import { outcomeOf, runVectors } from './run.ts';

const fixture = (name: string) =>
  new URL(`../../packages/federation/src/fixtures/${name}`, import.meta.url).pathname;
const published = fixture('federation.json');
const ofContinuity = (name: string) =>
  new URL(`../../packages/continuity/src/fixtures/${name}`, import.meta.url).pathname;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'vectors-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, content: unknown): string {
  const path = join(folder, name);
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
}

async function run(...files: string[]) {
  const lines: string[] = [];
  const complaints: string[] = [];
  const code = await runVectors(
    files,
    (line) => lines.push(line),
    (line) => complaints.push(line),
  );
  return { code, lines, complaints };
}

/** A case as files have it. */
const averageOf = (clients: Json, expected: unknown, more: object = {}) => ({
  id: 'average',
  operation: 'weighted_average',
  inputs: { clients },
  expected,
  tolerance: 'exact',
  ...more,
});
const outcomes = async (...cases: object[]) => (await run(file('cases.json', { cases }))).lines.slice(0, -1);

describe('the published cases', () => {
  it('pass, every one of them', async () => {
    const { cases } = JSON.parse(readFileSync(published, 'utf8')) as { cases: { id: string }[] };
    const { code, lines } = await run(published);
    expect(lines.filter((line) => !line.startsWith('pass '))).toEqual([
      `${cases.length} passed, 0 failed, 0 skipped`,
    ]);
    expect(code).toBe(0);
  });

  it.each([
    ['drift.json', 6],
    ['drift-detectors.json', 32],
    ['drift-tests.json', 16],
    ['release-tests.json', 22],
  ])('of monitoring pass, every one of %s', async (name, cases) => {
    const { code, lines } = await run(ofContinuity(name));
    expect(lines.filter((line) => !line.startsWith('pass '))).toEqual([
      `${cases} passed, 0 failed, 0 skipped`,
    ]);
    expect(code).toBe(0);
  });

  it('of partitions pass, every one of them', async () => {
    const partitions = new URL('../../packages/datasets/src/fixtures/partition.json', import.meta.url);
    const { code, lines } = await run(partitions.pathname);
    expect(lines.filter((line) => !line.startsWith('pass '))).toEqual(['21 passed, 0 failed, 0 skipped']);
    expect(code).toBe(0);
  });

  it('of privacy accounting pass where the product computes them', async () => {
    const { code, lines } = await run(fixture('privacy-accounting.json'));
    expect(code).toBe(0);
    expect(lines.filter((line) => line.startsWith('pass privacy.zcdp'))).toHaveLength(3);
    expect(lines.at(-1)).toBe('3 passed, 0 failed, 3 skipped');
  });

  it('of codecs pass where the product has the codec', async () => {
    const { code, lines } = await run(fixture('compression.json'));
    expect(code).toBe(0);
    for (const codec of ['eden_4b', 'float16', 'top1%', 'top10%'])
      expect(lines).toContain(`pass compression.normal.${codec}`);
    expect(lines.at(-1)).toMatch(/^12 passed, 0 failed, \d+ skipped$/);
  });
});

describe('a file of cases', () => {
  it('gives a line for each, the counts, and 1 where one fails', async () => {
    const clients = [
      { arrays: [[1, 2]], num_examples: 1 },
      { arrays: [[4, 8]], num_examples: 2 },
    ];
    const path = file('three.json', {
      cases: [
        averageOf(clients, [[3, 6]], { id: 'right' }),
        averageOf(clients, [[3, 5]], { id: 'wrong' }),
        { id: 'other', operation: 'secure_sum', inputs: {}, expected: 1 },
      ],
    });
    expect(await run(path)).toEqual({
      code: 1,
      lines: [
        'pass right',
        'fail wrong (expected[0][1] is 6, not 5)',
        'unsupported other (no function of the product computes secure_sum)',
        '1 passed, 1 failed, 1 skipped',
      ],
      complaints: [],
    });
  });

  it('gives 2 and the cause where it is missing, no JSON, or without cases; then nothing is run', async () => {
    const sound = file('sound.json', { cases: [averageOf([{ arrays: [1] }], [1])] });
    const missing = join(folder, 'nowhere.json');
    for (const [path, cause] of [
      [missing, /nowhere\.json cannot be read: .*ENOENT/],
      [folder, /cannot be read: .*EISDIR/],
      [file('broken.json', '{"cases": ['), /broken\.json is not JSON/],
      [file('empty.json', { cases: [] }), /empty\.json has no cases/],
      [file('none.json', { description: 'nothing' }), /none\.json has no cases/],
      [file('number.json', 7), /number\.json has no cases/],
    ] as const) {
      const { code, lines, complaints } = await run(sound, path);
      expect([code, lines, complaints.length]).toEqual([2, [], 1]);
      expect(complaints[0]).toMatch(cause);
    }
    expect(await run()).toMatchObject({ code: 2, complaints: [expect.stringContaining('Usage')] });
  });

  it('may leave out what is optional, and nest and name tensors as it likes', async () => {
    expect(
      await outcomes(
        { operation: 'weighted_average', inputs: { clients: [{ arrays: 1 }, { arrays: 3 }] }, expected: 2 },
        averageOf(
          { a: { arrays: { w: [[[1]], [[3]]], b: 5 } }, b: { arrays: { b: 7, w: [[[3]], [[5]]] } } },
          { b: 6, w: [[[2]], [[4]]] },
        ),
        averageOf(
          [
            { arrays: [[1, [2, 3]], 4], num_examples: 0.25 },
            { arrays: [[5, [6, 7]], 8], num_examples: 0.75 },
          ],
          [[4, [5, 6]], 7],
        ),
        averageOf([{ arrays: ['NaN'] }], ['NaN']),
        { id: 'no result', operation: 'weighted_average', inputs: {} },
        { id: 'no operation', inputs: {}, expected: 1 },
        null as unknown as object,
      ),
    ).toEqual([
      'pass case 0',
      'pass average',
      'pass average',
      expect.stringMatching(/^fail average \(update-not-finite: /),
      'unsupported no result (the case states no expected result)',
      'unsupported no operation (the case names no operation)',
      'unsupported case 6 (the case names no operation)',
    ]);
  });

  it('has a refusal pass where the case expects one, and fail by name where not', async () => {
    const error = { error: true };
    expect(
      await outcomes(
        averageOf([], error),
        averageOf([{ arrays: [], num_examples: 1 }], [[]]),
        averageOf([{ arrays: [[]], num_examples: 1 }], error),
        averageOf([{ arrays: [1], num_examples: 0 }], error),
        averageOf([{ arrays: [1], num_examples: -1 }], error),
        averageOf([{ arrays: [[1, 2]] }, { arrays: [[1], [2]] }], error),
        averageOf([{ arrays: [1] }], error),
      ),
    ).toEqual([
      expect.stringMatching(/^pass average \(quorum-lost: /),
      'fail average (model-invalid: A model has at least one tensor.)',
      'pass average (model-invalid: Every tensor has at least one number.)',
      expect.stringMatching(/^pass average \(quorum-lost: /),
      expect.stringMatching(/^pass average \(update-examples: /),
      expect.stringMatching(/^pass average \(update-shape: /),
      'fail average (the case expects an error, the product gives a result)',
    ]);
  });

  it('may expect several named results; those that the product does not give are told', async () => {
    const clip = (expected: object) => ({
      id: 'clip',
      operation: 'clip_by_global_norm',
      inputs: { arrays: [[3, 4]] },
      params: { clipping_norm: 1 },
      expected,
    });
    expect(
      await outcomes(
        clip({ clipped: [[0.6, 0.8]], norm_before: 5, was_clipped: 1, angle: 0 }),
        clip({ clipped: [[0.6, 0.8]], was_clipped: false }),
        clip([[0.6, 0.81]]),
      ),
    ).toEqual([
      'pass clip (without angle)',
      'fail clip (was_clipped is true, not false)',
      expect.stringMatching(/^fail clip \(expected\[0\]\[1\] is 0\.8/),
    ]);
  });
});

describe('a file of detectors', () => {
  const adwin = (expected: object, more: object = {}) => ({
    id: 'adwin',
    operation: 'adwin',
    inputs: { stream: 'named' },
    params: {},
    expected,
    tolerance: { atol: 1e-9, rtol: 0, ...more },
  });
  const withStream = async (stream: unknown, one: object) =>
    (await run(file('streams.json', { streams: { named: stream }, cases: [one] }))).lines[0];

  it('may give a stream by the formula of its generator', async () => {
    const stream = {
      lcg_seed: 12_345,
      segments: [
        [2, 0, 1],
        [1, 10, 2],
      ],
    };
    // u = 0.0966165…, 0.8339946…, 0.9477024…, as drift-detectors.json prints them.
    const total = 0.09661652850760917 + 0.8339946273872604 + 10 + 2 * 0.9477024976851895;
    expect(await withStream(stream, adwin({ final: final(3, total) }, { per_key: LOOSE }))).toMatch(/^pass /);
    expect(await withStream(stream, adwin({ final: final(3, total + 0.1) }, { per_key: LOOSE }))).toMatch(
      /^fail adwin \(final\.total is/,
    );
  });

  it('may have a tolerance for a single result', async () => {
    const wrong = adwin({ final: { ...final(2, 2), sum_sq_dev: 0.5 } });
    expect(await withStream([1, 1], wrong)).toMatch(/^fail adwin \(final\.sum_sq_dev is 0, not 0\.5/);
    const loose = adwin({ final: { ...final(2, 2), sum_sq_dev: 0.5 } }, { per_key: LOOSE });
    expect(await withStream([1, 1], loose)).toMatch(/^pass /);
  });

  const LOOSE = { 'final.sum_sq_dev': { atol: 1e3 } };
  const final = (width: number, total: number) => ({
    width,
    total,
    sum_sq_dev: 0,
    estimation: total / width,
  });
});

it('no input makes an operation crash', async () => {
  const computed = Object.keys(operations).filter((name) => typeof operations[name] === 'function');
  const keys = [
    'clients',
    'trees',
    'weights',
    'arrays',
    'rounds',
    'pairs',
    'x',
    'y',
    'current',
    'initial_weight',
    'a',
    'b',
    'd',
    'cluster',
    'stream',
    'p_values',
    'ref_counts',
    'cur_counts',
  ];
  const values = fc.oneof(
    fc.jsonValue({ maxDepth: 3 }),
    fc.array(
      fc.record({ arrays: fc.jsonValue({ maxDepth: 2 }), num_examples: fc.jsonValue({ maxDepth: 0 }) }),
    ),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...computed),
      fc.dictionary(fc.constantFrom(...keys), values, { maxKeys: 5 }),
      fc.jsonValue({ maxDepth: 2 }),
      async (operation, inputs, expected) => {
        const { outcome, why } = await outcomeOf({
          id: 'any',
          operation,
          inputs: inputs as Json,
          params: { eta: 1, tau: 1, beta_2: 0.5, lr: 1, clipping_norm: 1, bits: 8 },
          expected: expected as Json,
          tolerance: { atol: 0, rtol: 0 },
          notes: '',
        });
        expect(outcome === 'pass' || why !== '').toBe(true);
      },
    ),
    { numRuns: 500 },
  );
});
