import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { listScenarios, type PlayedScenario, runScenario, schemes } from './run-scenario.ts';
import { scenarioCurves } from './scenario-curves.ts';

const SEED = 1;
const results = fileURLToPath(new URL('../../docs/results', import.meta.url));
const store = join(results, 'scenarios.json');
const titles = { loop: 'the loop', fixed: 'fixed schedule', never: 'never retrained' } as const;

/** Plays the scenarios that the results lack, and rewrites the page after each. */
export async function scenarios(): Promise<void> {
  const summaries = await listScenarios();
  const played: PlayedScenario[] = existsSync(store)
    ? (JSON.parse(readFileSync(store, 'utf8')) as { scenarios: PlayedScenario[] }).scenarios
    : [];
  for (const name of summaries.keys()) {
    if (played.some(({ result }) => result.name === name)) continue;
    process.stderr.write(`${name} …\n`);
    played.push(await runScenario(name, SEED));
    write(played, summaries);
  }
  write(played, summaries);
}

function write(played: readonly PlayedScenario[], summaries: ReadonlyMap<string, string>): void {
  const machine = `${cpus().length} × ${cpus()[0]?.model.trim() ?? 'unknown processor'}, Node ${process.version}, planned trainer`;
  const ordered = [...summaries.keys()].flatMap((name) =>
    played.filter(({ result }) => result.name === name),
  );
  writeFileSync(
    store,
    `{"machine": ${JSON.stringify(machine)}, "scenarios": [\n${ordered.map((one) => JSON.stringify(one)).join(',\n')}\n]}\n`,
  );
  for (const one of ordered)
    writeFileSync(join(results, `scenario-${one.result.name}.svg`), scenarioCurves(one));
  writeFileSync(
    join(results, 'scenarios.md'),
    `# Keeping a model good while its data change

Each section is one \`pnpm scenario NAME --seed ${SEED}\`: headless participants over real sockets, whose new examples follow a script, and a coordinator on a clock that is moved by
hand. A first model is trained and released. Then, in every period, each device predicts its new examples, learns their outcomes and stores them. **The loop** is reports,
verdicts, runs from production, comparisons and canaries, by a policy that promises one false alarm in a hundred periods. **The fixed schedule** launches the same plan every few periods and releases what comes of
it. **Never retrained** keeps the first model. All three see the same examples. Policies are in \`apps/simulate/src/scenario/scenarios\`.

In \`abrupt\` the comparison alone decides about a release; in the others a canary follows it, which takes two periods. The fixed schedule answers a change at the end of its third period in \`abrupt\` (of every 5) and of its fourth in
\`click-through\` (of every 7): as late as such a schedule does on average.

Accuracy is that on the new examples of a period, before any model was trained on them: *before* the change, in the *worst* period after it, *after* (mean of the last sixth of the periods), and the *mean* of all. Bytes are those that
all devices send and receive after the first release, reports and models included. Device time is computed from the work of training: six operations for a parameter and example, a thousand million a second. A period's reports are
judged at the end of the next, so a change is noticed at the end of its second period at the earliest. *New data alone* is a first model of devices that have the examples since the last change and no others.

Repeat all of it with \`pnpm experiment scenarios\`; the same seed gives the same figures on the same machine. Data: [scenarios.json](scenarios.json). \`--report DIR\` writes a page with the plots and their tables.

Machine: ${machine}.

${ordered.map((one) => section(one, summaries)).join('\n\n')}
`,
  );
}

function section({ result, curves }: PlayedScenario, summaries: ReadonlyMap<string, string>): string {
  const { name, drifts, noticed, delayPeriods, falseAlarms, quietPeriods, releases, rollbacks } = result;
  const figures = { loop: result, ...result.baselines };
  const rows = schemes.map((scheme) => {
    const { accuracy, rounds, bytes, deviceSeconds } = figures[scheme];
    const shares = [accuracy.before, accuracy.worst, accuracy.after, mean(curves[scheme])].map(percent);
    return `| ${[titles[scheme], ...shares, rounds, `${(bytes / 1e6).toFixed(1)} MB`, `${deviceSeconds.toFixed(1)} s`].join(' | ')} |`;
  });
  const found =
    drifts === 0
      ? 'Nothing changes in what devices see'
      : `${noticed} of ${drifts} ${drifts === 1 ? 'change' : 'changes'} noticed${noticed === 0 ? '' : `, at the end of period ${delayPeriods.join(' and ')} of it`}`;
  return `## ${name}

${summaries.get(name)}

| | before | worst | after | mean | rounds | bytes | device time |
|---|---|---|---|---|---|---|---|
${rows.join('\n')}

${found}. False alarms: ${falseAlarms} in ${quietPeriods} quiet periods. Releases: ${releases}; rollbacks: ${rollbacks}. New data alone: ${percent(result.accuracy.newDataOnly)}.

![Accuracy by period](scenario-${name}.svg)`;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}
