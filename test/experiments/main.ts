import { codecsMnist } from './codecs-mnist.ts';
import { fedavgMnist } from './fedavg-mnist.ts';

/**
 * `pnpm experiment`: repeats the experiments behind docs/results; `pnpm experiment codecs` one of them. Each takes tens of
 * minutes, and goes on where it was stopped.
 */
const experiments: Readonly<Record<string, () => Promise<void>>> = {
  fedavg: fedavgMnist,
  codecs: codecsMnist,
};

const wanted = process.argv.slice(2).filter((arg) => arg !== '--');
const unknown = wanted.find((name) => !Object.hasOwn(experiments, name));
if (unknown !== undefined)
  throw new Error(`no experiment is called "${unknown}"; there are ${Object.keys(experiments).join(', ')}`);
for (const [name, run] of Object.entries(experiments))
  if (wanted.length === 0 || wanted.includes(name)) await run();
