import { readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { heterogeneity } from '@coppice/datasets';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RoundEvent } from '../events.ts';
import { reportPage } from './page.ts';
import type { PartitionDescription } from './partition-charts.ts';
import { Report, type ReportInput } from './report.ts';

function roundOf(round: number, accuracy: number | null, loss: number | null = 1 / round): RoundEvent {
  return {
    event: 'round',
    round,
    accuracy,
    loss,
    participants: 2,
    bytesUp: 800,
    bytesDown: 900,
    seconds: 2,
    capped: 0,
    scaled: 0,
  };
}

/** A partition whose clients have these numbers of examples, of classes where they are given. */
function spread(
  perClient: readonly number[],
  classesPerClient: PartitionDescription['classesPerClient'] = null,
): PartitionDescription {
  return {
    perClient,
    classesPerClient,
    classNames: null,
    quantilesPerClient: null,
    featurePerClient: null,
    clientNames: null,
    heterogeneity: heterogeneity(classesPerClient ?? perClient.map((count) => [count])),
    featureHeterogeneity: null,
  };
}

function input(given: Partial<ReportInput> = {}): ReportInput {
  return {
    options: { task: 'iris', clients: 2, targetAccuracy: 0.9, seed: 1, adminKey: 'top-secret' },
    task: { id: 'iris', title: 'Iris' },
    parameters: 131,
    rounds: [roundOf(1, 0.5), roundOf(2, 0.95), roundOf(3, 0.93)],
    done: {
      event: 'done',
      rounds: 3,
      accuracy: 0.93,
      roundsToTarget: 2,
      checkpoint: 'abc123',
      bytesUp: 2400,
      bytesDown: 2700,
      seconds: 6,
      capped: 0,
      scaled: 0,
    },
    planned: 3,
    early: null,
    fairness: null,
    hasModel: false,
    partition: spread(
      [70, 50],
      [
        [30, 40, 0],
        [0, 10, 40],
      ],
    ),
    machine: { node: 'v24.0.0', cpu: 'A processor', cores: 2, memoryGiB: 8, platform: 'linux x64' },
    startedAt: Date.UTC(2026, 0, 2, 3, 4),
    ...given,
  };
}

/**
 * The tags of a page in order, after checking that it is well formed by strict rules: attributes
 * quoted, no stray `<` or `>` or bare `&`, every element closed in turn.
 */
function tagsOf(page: string): string[] {
  const voids = new Set(['meta', '!doctype']);
  const tag = /<(\/?)([a-z!][a-z0-9]*)((?: [a-zA-Z0-9:-]+="[^"<>]*")*| html)(\/?)>/y;
  const text = /(?:[^<>&]|&(?:amp|lt|gt|quot|#39);)*/uy;
  const tags: string[] = [];
  const open: string[] = [];
  let at = 0;
  while (at < page.length) {
    text.lastIndex = at;
    at += text.exec(page)![0].length;
    if (at === page.length) break;
    tag.lastIndex = at;
    const found = tag.exec(page);
    if (found === null) throw new Error(`Not well formed: ${page.slice(at, at + 60)}`);
    const [whole, closing, name, attributes, selfClosing] = found as unknown as [string, ...string[]];
    at += whole.length;
    tags.push(`${closing}${name} ${(attributes as string).replace(/="[^"]*"/g, '')}`);
    if (closing === '/') {
      if (open.pop() !== name) throw new Error(`</${name}> closes nothing`);
    } else if (selfClosing !== '/' && !voids.has(name as string)) open.push(name as string);
  }
  if (open.length > 0) throw new Error(`Left open: ${open.join(' ')}`);
  return tags;
}

const chartTitles = (page: string) => [...page.matchAll(/<h3>(.*?)<\/h3>/g)].map(([, title]) => title);

describe('reportPage', () => {
  it('is the same markup whatever its texts are', () => {
    const nasty = fc.oneof(
      fc.string({ unit: 'grapheme' }),
      fc.constantFrom(
        '<script>alert(1)</script>',
        '"><img src=x onerror=1>',
        "'",
        '&lt;',
        '</style>',
        '<!--',
        '$&',
      ),
    );
    const withTexts = (text: (index: number) => string) =>
      reportPage(
        input({
          options: { task: text(0), partition: text(1), [`flag${text(2)}`]: text(3) },
          task: { id: text(4), title: text(5) },
          machine: { node: text(6), cpu: text(7), cores: 2, memoryGiB: 8, platform: text(8) },
          done: { ...input().done, checkpoint: text(9) },
        }),
      );
    const expected = tagsOf(withTexts(() => 'x'));
    fc.assert(
      fc.property(fc.array(nasty, { minLength: 10, maxLength: 10 }), (texts) => {
        const page = withTexts((index) => texts[index] as string);
        expect(page).not.toMatch(/<script/i);
        expect(tagsOf(page)).toEqual(expected);
      }),
    );
  });

  it('asks for nothing from outside', () => {
    const page = reportPage(input());
    expect(page).not.toMatch(/(?: src=| href=|url\(|@import|https?:)/);
    expect(page).toContain("default-src 'none'");
  });

  it('is well formed, and holds no NaN, for any course of a run', () => {
    const value = fc.option(fc.oneof(fc.double({ min: 0, max: 1, noNaN: true }), fc.constant(Number.NaN)));
    fc.assert(
      fc.property(
        fc.array(fc.tuple(value, value), { maxLength: 300 }),
        fc.array(fc.nat(1000), { maxLength: 300 }),
        fc.option(fc.double({ min: 0, max: 1, noNaN: true })),
        (values, perClient, targetAccuracy) => {
          const rounds = values.map(([accuracy, loss], index) => roundOf(index + 1, accuracy, loss));
          const page = reportPage(
            input({
              rounds,
              options: { targetAccuracy },
              partition: spread(
                perClient,
                perClient.map((count) => [count, 0]),
              ),
              done: { ...input().done, rounds: rounds.length, accuracy: rounds.at(-1)?.accuracy ?? null },
            }),
          );
          tagsOf(page);
          expect(page).not.toMatch(/NaN|Infinity|undefined|\[object/);
        },
      ),
      { numRuns: 40 },
    );
  });

  it('says the result first', () => {
    const h1 = (given: Partial<ReportInput>) => /<h1>(.*?)<\/h1>/.exec(reportPage(input(given)))?.[1];
    const done = input().done;
    expect(h1({})).toBe('Iris with 2 clients: the target accuracy of 90% was reached in round 2.');
    expect(h1({ done: { ...done, roundsToTarget: null } })).toBe(
      'Iris with 2 clients: 93.00% test accuracy after 3 rounds, short of the target of 90%.',
    );
    expect(h1({ options: {} })).toBe('Iris with 2 clients: 93.00% test accuracy after 3 rounds.');
    expect(h1({ rounds: [roundOf(1, null, 0.25)], done: { ...done, rounds: 1, accuracy: null } })).toBe(
      'Iris with 2 clients: test loss 0.2500 after 1 round.',
    );
    expect(h1({ rounds: [], done: { ...done, rounds: 0, accuracy: null } })).toBe(
      'Iris with 2 clients: no round was finished.',
    );
  });

  it('has a chart and a table for all that was measured, none for what was not', () => {
    const page = reportPage(input());
    expect(chartTitles(page)).toEqual([
      'Test accuracy',
      'Test loss',
      'Time per round',
      'Traffic per round',
      'Examples per client',
      'Classes per client',
    ]);
    expect(page.match(/<details>/g)).toHaveLength(6);
    expect(page).toContain('<tr><th scope="row">2</th><td>95.00%</td></tr>');
    expect(page).toContain('target 90%');
    const bare = reportPage(
      input({
        options: {},
        rounds: [roundOf(1, null, null)],
        partition: spread([3]),
      }),
    );
    expect(chartTitles(bare)).toEqual(['Time per round', 'Traffic per round', 'Examples per client']);
    expect(bare).not.toContain('class="target"');
  });

  it('says how and when it ended early', () => {
    const early = {
      how: 'interrupted' as const,
      reason: 'The simulation was interrupted after 3 of 500 rounds.',
    };
    const page = reportPage(input({ planned: 500, early }));
    expect(/<h1>(.*?)<\/h1>/.exec(page)?.[1]).toBe(
      'Iris with 2 clients: interrupted after 3 of 500 rounds, at 93.00% test accuracy.',
    );
    expect(page).toContain(early.reason);
  });

  it('draws tenths of the target and of a feature, and the names of clients', () => {
    const tenths = [
      [5, 0, 0, 0, 0, 0, 0, 0, 0, 1],
      [0, 4, 0, 0, 0, 0, 0, 0, 0, 0],
    ];
    const page = reportPage(
      input({
        partition: {
          ...spread([6, 4]),
          quantilesPerClient: tenths,
          featurePerClient: tenths,
          featureHeterogeneity: heterogeneity(tenths),
          clientNames: ['north', 'south'],
        },
      }),
    );
    expect(chartTitles(page).slice(-2)).toEqual([
      'Tenths of the target per client',
      'Tenths of the feature per client',
    ]);
    expect(page).toContain('<th scope="row">2 (south)</th>');
    tagsOf(page);
  });

  it('tells how the model serves each client', () => {
    const clients = [0, 1].map((client) => ({ client, examples: 9, value: 0.5 + client / 4 }));
    const figures = { mean: 0.625, weightedMean: 0.6, worstTenth: 0.5, bestTenth: 0.75, spread: 0.125 };
    const page = reportPage(
      input({ fairness: { on: 'held-out', measure: 'accuracy', ...figures, clients } }),
    );
    expect(page).toContain('Mean 62.50%, by examples 60.00%; the tenth served worst 50.00%, best 75.00%');
    tagsOf(page);
  });

  it('draws the line where the values are', () => {
    const page = reportPage(input({ options: {}, rounds: [roundOf(1, 0), roundOf(2, 0.5), roundOf(3, 1)] }));
    expect(page).toContain('d="M0 200L500 100L1000 0"');
    const broken = reportPage(
      input({ options: {}, rounds: [roundOf(1, 0), roundOf(2, null), roundOf(3, 1)] }),
    );
    expect(broken).toContain('d="M0 200M1000 0"');
  });

  it('stays a page for a long run of many clients', () => {
    const rounds = Array.from({ length: 5000 }, (_, index) => roundOf(index + 1, index / 5000));
    const perClient = new Array<number>(5000).fill(12);
    const page = reportPage(input({ rounds, partition: spread(perClient) }));
    expect(page.length).toBeLessThan(1_500_000);
    expect(page).toContain('Each bar is the mean of 42 rounds.');
    expect(page).toContain('Drawn for 120 of 5,000 clients, evenly spaced.');
    expect(page).toContain('1000 of 5000 rows, evenly spaced; rounds.csv holds all.');
  });
});

describe('Report', () => {
  let dir: string;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'coppice-report-'));
  });
  afterEach(() => rm(dir, { recursive: true }));

  it('has each round when it ended, and no secret in any file', async () => {
    const folder = join(dir, 'new', 'folder');
    const report = new Report(folder, { hasError: false, metrics: [] });
    const given = input();
    for (const [at, round] of given.rounds.entries()) {
      report.round(round);
      const lines = readFileSync(join(folder, 'rounds.jsonl'), 'utf8').trimEnd().split('\n');
      expect(lines.map((line) => JSON.parse(line))).toEqual(given.rounds.slice(0, at + 1));
      expect(readFileSync(join(folder, 'rounds.csv'), 'utf8').split('\r\n')).toHaveLength(at + 3);
    }
    const model = { topology: { weightsManifest: [] }, weights: new Uint8Array([1, 2]) };
    const files = report.finish(given, model);
    expect(files.map((file) => file.split(/[\\/]/).at(-1))).toEqual([
      'report.html',
      'report.json',
      'model.json',
      'weights.bin',
      'rounds.csv',
      'rounds.jsonl',
    ]);
    const texts = await Promise.all(files.map((file) => readFile(file, 'utf8')));
    for (const text of texts) expect(text).not.toContain('top-secret');
    const { classesPerClient, perClient } = given.partition;
    expect(JSON.parse(texts[1] as string)).toMatchObject({
      startedAt: '2026-01-02T03:04:00.000Z',
      command: 'pnpm simulate --task iris --clients 2 --target-accuracy 0.9 --seed 1',
      options: { task: 'iris', clients: 2, 'target-accuracy': 0.9, seed: 1 },
      task: given.task,
      parameters: given.parameters,
      done: given.done,
      machine: given.machine,
      rounds: given.rounds,
      partition: { perClient, classesPerClient },
      fairness: null,
    });
  });

  it('says before anything is trained that the folder cannot be written', async () => {
    const file = join(dir, 'file');
    await writeFile(file, '');
    for (const folder of [file, join(file, 'below')]) {
      const begin = () => new Report(folder, { hasError: false, metrics: [] });
      expect(begin).toThrow(expect.objectContaining({ code: 'storage-failed' }));
      expect(begin).toThrow('Nothing was trained');
    }
  });

  it('has an end on a file system that takes no folders', () => {
    expect(() => new Report('/proc/coppice/report', { hasError: false, metrics: [] })).toThrow('--report');
  });
});
