import {
  onStopRequest,
  print,
  READER_GONE,
  Results,
  Starter,
  standardError,
  surviveBrokenStreams,
} from '@coppice/coordinator/process';
import { CoppiceError } from '@coppice/protocol';
import { UsageError } from '../flag.ts';
import { figuresOf, type Played, type ScenarioEvent } from './figures.ts';
import { listText, readScenarioOptions, type ScenarioOptions, scenarioUsage } from './options.ts';
import type { PlayedPeriod } from './play.ts';
import { playAll } from './play-all.ts';
import { periodLine, resultText } from './progress.ts';
import { writeScenarioReport } from './report/report.ts';
import type { SchemeName } from './schemes/index.ts';

const interrupted = new AbortController();
const results = new Results(() => interrupted.abort());

const EXIT = { done: 0, failed: 1, usage: 2 } as const;

/** `pnpm scenario`. */
async function main(): Promise<number> {
  const starter = new Starter();
  const options = readScenarioOptions(process.argv.slice(2));
  if (options === 'help') return print(scenarioUsage());
  if (options === 'list') return print(listText());
  onStopRequest({ starter, stop: () => interrupted.abort() });
  const { scenario, seed, report } = options;
  const played = await playAll(scenario, seed, telling(options), interrupted.signal);
  const event = figuresOf(scenario, played);
  if (report !== null) await writeReport(report, options, played, event);
  results.write(options.json ? `${JSON.stringify(event)}\n` : `\n${resultText(event, played)}\n`);
  return results.settled();
}

/** Tells of each period: a JSON object a line, or a line for a person. */
function telling({ json, scenario }: ScenarioOptions): (scheme: SchemeName, period: PlayedPeriod) => void {
  if (json)
    return (scheme, period) => results.write(`${JSON.stringify({ event: 'period', scheme, ...period })}\n`);
  return (scheme, period) => results.write(`${periodLine(scheme, period, scenario)}\n`);
}

async function writeReport(
  dir: string,
  { scenario, seed }: ScenarioOptions,
  played: Played,
  event: ScenarioEvent,
): Promise<void> {
  const files = await writeScenarioReport(dir, { scenario, seed, played, event });
  standardError.write(`Report: ${files.join(', ')}\n`);
}

surviveBrokenStreams();
main().then(
  (code) => {
    process.exitCode = code;
  },
  (thrown: unknown) => {
    if (results.readerGone) {
      process.exitCode = READER_GONE;
      return;
    }
    process.exitCode = thrown instanceof UsageError ? EXIT.usage : EXIT.failed;
    if (thrown instanceof UsageError) {
      standardError.write(`${thrown.message}\n`);
      return;
    }
    const error = CoppiceError.from(thrown);
    standardError.write(`${error.message} [${error.code}]\n`);
    if (error.code === 'internal' && error.cause instanceof Error)
      standardError.write(`${error.cause.stack}\n`);
  },
);
