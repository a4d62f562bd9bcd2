import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { runWhole } from './process-group.ts';

/* What others do with the same work: installed on request, in an environment of its own. */
const FLOWER = '1.42.0';

/**
 * Finds or installs a Python with Flower, its simulation engine and NumPy.
 *
 * @throws where there is no Python, or the packages are unavailable.
 */
export async function pythonWithFlower(): Promise<string> {
  const cache = process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache');
  const folder = join(cache, 'coppice', `flwr-${FLOWER}`);
  const python = join(folder, 'bin', 'python');
  // Written last: what was interrupted is begun anew.
  const whole = join(folder, 'whole');
  if (existsSync(whole)) return python;
  process.stderr.write(`Flower ${FLOWER} is installed in ${folder}.\n`);
  await mkdir(folder, { recursive: true });
  await runWhole(process.env['COPPICE_PYTHON'] ?? 'python3', ['-m', 'venv', '--clear', folder]);
  await runWhole(python, ['-m', 'pip', 'install', '--quiet', `flwr[simulation]==${FLOWER}`, 'numpy']);
  await writeFile(whole, '');
  return python;
}
