import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { builtInTask, normalise } from '@coppice/datasets';
import { loadTaskData } from '@coppice/datasets/node';

/** Writes Coppice's training digits to files that NumPy reads: little-endian float32. */
export async function mnistFiles(): Promise<{ folder: string; remove: () => Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'coppice-bench-'));
  const task = builtInTask('mnist-2nn');
  if (task === undefined) throw new Error('the digits are gone');
  const data = await loadTaskData(task.id);
  for (const part of ['train', 'test'] as const) {
    const { xs, ys } = normalise(data[part], task.data);
    await writeFile(join(folder, `${part}-features.f32`), xs);
    await writeFile(join(folder, `${part}-labels.f32`), ys);
  }
  return { folder, remove: () => rm(folder, { recursive: true, force: true }) };
}
