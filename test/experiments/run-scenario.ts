import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

interface Figures {
  readonly accuracy: {
    readonly before: number;
    readonly worst: number;
    readonly after: number;
    readonly newDataOnly: number;
  };
  readonly bytes: number;
  readonly rounds: number;
  readonly deviceSeconds: number;
}

/** The last line of `pnpm scenario NAME --json`. */
export interface ScenarioResult extends Figures {
  readonly name: string;
  readonly drifts: number;
  readonly noticed: number;
  readonly delayPeriods: readonly number[];
  readonly falseAlarms: number;
  readonly quietPeriods: number;
  readonly releases: number;
  readonly rollbacks: number;
  readonly baselines: { readonly never: Figures; readonly fixed: Figures };
}

export const schemes = ['loop', 'fixed', 'never'] as const;
export type SchemeName = (typeof schemes)[number];

export interface PlayedScenario {
  readonly result: ScenarioResult;
  /** Accuracy on new examples, by period. */
  readonly curves: Readonly<Record<SchemeName, readonly number[]>>;
}

/** The summaries of all scenarios by name, as `--list` tells them. */
export async function listScenarios(): Promise<ReadonlyMap<string, string>> {
  const lines: string[] = [];
  await command(['--list'], (line) => void lines.push(line));
  return new Map(
    lines.map((line) => {
      const [name = '', ...words] = line.split(/\s+/);
      return [name, words.join(' ')];
    }),
  );
}

/** Plays one scenario. @throws Error where it fails. */
export async function runScenario(name: string, seed: number): Promise<PlayedScenario> {
  const curves: Record<SchemeName, number[]> = { loop: [], fixed: [], never: [] };
  let result: ScenarioResult | null = null;
  await command([name, '--json', '--seed', String(seed)], (line) => {
    const event = JSON.parse(line) as
      | { event: 'period'; scheme: SchemeName; accuracy: number }
      | ({ event: 'scenario' } & ScenarioResult);
    if (event.event === 'period') curves[event.scheme].push(event.accuracy);
    else {
      const { event: _kind, ...told } = event;
      result = told;
    }
  });
  if (result === null) throw new Error(`pnpm scenario ${name} told no result`);
  return { result, curves };
}

function command(flags: readonly string[], told: (line: string) => void): Promise<void> {
  const args = ['apps/simulate/src/scenario/main.ts', ...flags];
  const child = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] });
  createInterface({ input: child.stdout }).on('line', told);
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === 0) resolve();
      else reject(new Error(`pnpm scenario ${flags[0]} ended with code ${code}`));
    });
  });
}
