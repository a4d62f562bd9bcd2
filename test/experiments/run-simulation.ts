import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

export interface Simulated {
  /** Accuracy on the test data, by round. */
  readonly accuracy: readonly number[];
  readonly roundsToTarget: number | null;
  readonly checkpoint: string;
  readonly seconds: number;
  readonly bytesUp: number;
  readonly bytesDown: number;
}

type Done = Omit<Simulated, 'accuracy'>;

/** Runs one `pnpm simulate` with these flags. @throws Error where it fails; a missed target is no failure. */
export function runSimulation(flags: readonly string[]): Promise<Simulated> {
  const args = ['apps/simulate/src/main.ts', '--json', ...flags];
  const child = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] });
  const accuracy: number[] = [];
  let done: Done | null = null;
  createInterface({ input: child.stdout }).on('line', (line) => {
    const event = JSON.parse(line) as { event: string; accuracy: number } & Done;
    if (event.event === 'round') accuracy.push(event.accuracy);
    else done = event;
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => {
      if (done === null || (code !== 0 && code !== 3))
        reject(new Error(`pnpm simulate ended with code ${code}`));
      else {
        const { roundsToTarget, checkpoint, seconds, bytesUp, bytesDown } = done;
        resolve({ accuracy, roundsToTarget, checkpoint, seconds, bytesUp, bytesDown });
      }
    });
  });
}
