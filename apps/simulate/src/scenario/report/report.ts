import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CoppiceError } from '@coppice/protocol';
import type { Played, ScenarioEvent } from '../figures.ts';
import type { Scenario } from '../scenario.ts';
import { schemeNames } from '../schemes/index.ts';
import { scenarioPage } from './page.ts';

export interface ScenarioReport {
  readonly scenario: Pick<Scenario, 'name' | 'summary' | 'size' | 'changes'>;
  readonly seed: number;
  readonly played: Played;
  readonly event: ScenarioEvent;
}

/**
 * Writes `report.html` (one self-contained page), `periods.csv` and `report.json` into `dir`, which is created where missing.
 *
 * @returns the paths of the three files.
 * @throws CoppiceError `storage-failed` where the folder cannot be written.
 */
export async function writeScenarioReport(dir: string, input: ScenarioReport): Promise<string[]> {
  const files = {
    'report.html': scenarioPage(input),
    'periods.csv': periodsCsv(input),
    'report.json': reportJson(input),
  };
  try {
    await mkdir(dir, { recursive: true });
    for (const [name, text] of Object.entries(files)) await writeFile(join(dir, name), text);
  } catch (cause) {
    throw new CoppiceError(
      'storage-failed',
      `The report could not be written to ${dir}: ${(cause as Error).message}. Give --report a folder that can be written, and run the scenario again.`,
      { cause },
    );
  }
  return Object.keys(files).map((name) => join(dir, name));
}

const columns = [
  'period',
  'accuracy',
  'bytes',
  'rounds',
  'deviceSeconds',
  'releases',
  'rollbacks',
  'refused',
] as const;

function periodsCsv({ played }: ScenarioReport): string {
  const lines = schemeNames.flatMap((scheme) =>
    played[scheme].map((one) => {
      const { drift = '', quality = '', floor = '' } = one.verdict ?? {};
      return [scheme, ...columns.map((column) => one[column]), drift, quality, floor].join(',');
    }),
  );
  return `${[['scheme', ...columns, 'driftAlarm', 'qualityAlarm', 'floorAlarm'].join(','), ...lines].join('\n')}\n`;
}

function reportJson({
  scenario: { name, summary, size, changes },
  seed,
  played,
  event,
}: ScenarioReport): string {
  const lines = schemeNames.map(
    (scheme) =>
      `${JSON.stringify(scheme)}: [\n${played[scheme].map((one) => JSON.stringify(one)).join(',\n')}\n]`,
  );
  return `{\n"scenario": ${JSON.stringify({ name, summary, size, changes, seed })},\n"result": ${JSON.stringify(event)},\n${lines.join(',\n')}\n}\n`;
}
