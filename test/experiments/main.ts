import { codecsMnist } from './codecs-mnist.ts';
import { falseReports } from './false-reports.ts';
import { fedavgMnist } from './fedavg-mnist.ts';
import { oneOfTen } from './one-of-ten.ts';
import { scenarios } from './scenarios.ts';
import { verdicts } from './verdicts.ts';

/**
 * `pnpm experiment`: repeats the experiments behind docs/results; `pnpm experiment codecs` one of them. `fedavg`,
 * `codecs` and `scenarios` take tens of minutes and resume where they were stopped; `one-of-ten`,
 * `false-reports` and `verdicts` take a few; the last makes the rows that `verdicts.json` lacks: remove it where verdicts changed.
 */
const experiments: Readonly<Record<string, () => Promise<void>>> = {
  fedavg: fedavgMnist,
  codecs: codecsMnist,
  'one-of-ten': oneOfTen,
  'false-reports': falseReports,
  scenarios,
  verdicts,
};

const wanted = process.argv.slice(2).filter((arg) => arg !== '--');
const unknown = wanted.find((name) => !Object.hasOwn(experiments, name));
if (unknown !== undefined)
  throw new Error(`no experiment is called "${unknown}"; there are ${Object.keys(experiments).join(', ')}`);
for (const [name, run] of Object.entries(experiments))
  if (wanted.length === 0 || wanted.includes(name)) await run();
