import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { figuresOf } from '../figures.ts';
import type { PlayedPeriod } from '../play.ts';
import { resultText } from '../progress.ts';
import { type ScenarioReport, writeScenarioReport } from './report.ts';

const period = (number: number, of: Partial<PlayedPeriod> = {}): PlayedPeriod => ({
  period: number,
  accuracy: 0.9,
  bytes: 1_000_000,
  deviceSeconds: 2,
  rounds: 0,
  trained: 0,
  releases: 0,
  rollbacks: 0,
  refused: 0,
  verdict: null,
  ...of,
});

const scenario = {
  name: 'made-up',
  summary: 'Data <change> & stay changed.',
  size: { participants: 3, periods: 4, first: 5, each: 6 },
  changes: [{ period: 2, until: null, kind: 'drift' as const }],
};
const played = {
  loop: [
    period(1),
    period(2, { accuracy: 0.5 }),
    period(3, { verdict: { drift: true, quality: false, floor: false }, rounds: 4, releases: 1 }),
    period(4),
  ],
  never: [1, 2, 3, 4].map((number) => period(number, { accuracy: 0.4, bytes: 0 })),
  fixed: [1, 2, 3, 4].map((number) => period(number, { bytes: 3_000_000 })),
  newDataOnly: 0.91,
};
const input: ScenarioReport = { scenario, seed: 3, played, event: figuresOf(scenario, played) };

let dir = '';
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'coppice-scenario-report-'));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

describe('the report of a scenario', () => {
  it('is three files that say the same, and the same again', async () => {
    const files = await writeScenarioReport(join(dir, 'one'), input);
    const again = await writeScenarioReport(join(dir, 'two'), input);
    const texts = await Promise.all(files.map((file) => readFile(file, 'utf8')));
    expect(await Promise.all(again.map((file) => readFile(file, 'utf8')))).toEqual(texts);
    const [page = '', csv = '', json = ''] = texts;
    expect(page).toContain('pnpm scenario made-up --seed 3');
    expect(page).toContain('Data &lt;change&gt; &amp; stay changed.');
    expect(page).not.toMatch(/<script|https?:/);
    // Two charts, each with three lines and the moment of the change, and a table twin.
    expect(page.match(/<path class="line/g)).toHaveLength(6);
    expect(page.match(/class="mark"/g)).toHaveLength(2);
    expect(page.match(/Show as table/g)).toHaveLength(2);
    expect(page).toContain('drift alarm, 4 rounds, released');
    expect(csv.trimEnd().split('\n')).toHaveLength(1 + 3 * 4);
    expect(csv).toContain('loop,3,0.9,1000000,4,2,1,0,0,true,false,false');
    expect(JSON.parse(json)).toMatchObject({ result: input.event, loop: played.loop, scenario: { seed: 3 } });
  });

  it('says so where the folder cannot be written', async () => {
    const file = join(dir, 'file');
    await writeFile(file, '');
    await expect(writeScenarioReport(join(file, 'in'), input)).rejects.toMatchObject({
      code: 'storage-failed',
    });
  });
});

it('tells the result on a terminal in a table and three sentences', () => {
  const text = resultText(input.event, played);
  expect(text).toMatch(/the loop +90\.00% +50\.00% +90\.00% +80\.00% +4 +4\.00 MB/);
  expect(text).toContain('91.00% with a model trained on the new data alone.');
  expect(text).toContain('1 of 1 change noticed, at the end of period 2 of it; 0 false alarms in');
  expect(text).toContain('1 release, 0 rollbacks.');
});
