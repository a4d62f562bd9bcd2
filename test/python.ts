import { spawn, spawnSync } from 'node:child_process';

/** Readers that nobody here wrote, as packages of pip. */
const MODULES = ['numpy', 'onnx', 'onnxruntime', 'safetensors', 'PIL'] as const;

const program = process.env['COPPICE_PYTHON'] ?? 'python3';

/** Whether Python has the modules that tests ask; `COPPICE_PYTHON` names another than `python3`. */
export const hasPython =
  spawnSync(program, ['-c', `import ${MODULES.join(', ')}`], { stdio: 'ignore' }).status === 0;

if (!hasPython)
  process.stderr.write(
    `${program} has no readers of exports here (pip install numpy onnx onnxruntime safetensors pillow).\n`,
  );

/**
 * Runs a Python program to its end.
 *
 * @returns what it printed.
 * @throws an error with what it told, where it did not end with 0.
 */
export async function python(code: string, { folder }: { folder: string }): Promise<string> {
  const child = spawn(program, ['-c', code], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
  let printed = '';
  let told = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    printed += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    told += text;
  });
  const status = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  if (status !== 0) throw new Error(`Python ended with ${status}: ${told}`);
  return printed;
}
