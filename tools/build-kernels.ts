import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root, run } from './run.ts';

/*
 * Compiles packages/kernels/assembly with AssemblyScript, once for plain SIMD and once for relaxed SIMD, into a
 * module of the two binaries as base64: a few kilobytes that load the same way in Node, pages and workers.
 * Runs after `pnpm install`, and wherever the sources are newer than what was built.
 */
const room = join(root, 'packages', 'kernels');
const target = join(room, 'src', 'generated', 'binaries.ts');
const variants = {
  simd: ['--enable', 'simd'],
  relaxed: ['--enable', 'simd', '--enable', 'relaxed-simd'],
} as const;

export async function buildKernels({ force = false }: { force?: boolean } = {}): Promise<void> {
  const digest = sourcesDigest();
  if (!force && builtFrom() === digest) return;
  const folder = mkdtempSync(join(tmpdir(), 'coppice-kernels-'));
  try {
    let text = `// Made by tools/build-kernels.ts from ../../assembly. Sources: ${digest}\n`;
    for (const [name, features] of Object.entries(variants)) {
      const file = join(folder, `${name}.wasm`);
      const code = await run(join(room, 'node_modules', '.bin', 'asc'), [
        join(room, 'assembly', 'index.ts'),
        '-o',
        file,
        '-O3',
        '--noAssert',
        '--runtime',
        'stub',
        '--importMemory',
        '--initialMemory',
        '0',
        '--use',
        'abort=',
        ...features,
      ]);
      if (code !== 0) throw new Error(`compiling the ${name} kernels failed`);
      text += `export const ${name} =\n  '${readFileSync(file).toString('base64')}';\n`;
    }
    mkdirSync(join(target, '..'), { recursive: true });
    writeFileSync(target, text);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function sourcesDigest(): string {
  const hash = createHash('sha256');
  const folder = join(room, 'assembly');
  for (const name of readdirSync(folder).sort()) hash.update(name).update(readFileSync(join(folder, name)));
  return hash
    .update(readFileSync(join(room, 'package.json')))
    .update(readFileSync(import.meta.filename))
    .digest('hex');
}

function builtFrom(): string | null {
  try {
    return readFileSync(target, 'utf8').match(/Sources: ([0-9a-f]{64})/)?.[1] ?? null;
  } catch {
    return null;
  }
}

if (import.meta.main) await buildKernels({ force: process.argv.includes('--force') });
