import { execFileSync } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, readFileSync, readSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { afterAll, describe, expect, it } from 'vitest';
import { outputTo } from './output.ts';

const folder = mkdtempSync(join(tmpdir(), 'coppice-output-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const noStream = () => {
  throw new Error('the descriptor is written to itself');
};

let pipes = 0;
function pipe() {
  const path = join(folder, `pipe-${pipes++}`);
  execFileSync('mkfifo', [path]);
  const openReader = () => openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const reader = openReader();
  return { reader, openReader, output: outputTo(openSync(path, 'w'), noStream) };
}

/** Reads what is there; an empty pipe is the end. */
function readAll(reader: number): string {
  const buffer = Buffer.alloc(65_536);
  let text = '';
  for (;;) {
    try {
      const length = readSync(reader, buffer);
      if (length === 0) return text;
      text += buffer.toString('latin1', 0, length);
    } catch {
      return text;
    }
  }
}

describe('an output', () => {
  it('writes to a file, line after line', () => {
    const path = join(folder, 'file');
    const output = outputTo(openSync(path, 'w'), noStream);
    output.write('one\n');
    output.write('two\nthree\n');
    expect(readFileSync(path, 'utf8')).toBe('one\ntwo\nthree\n');
    expect(output).toMatchObject({ lost: 0, trouble: null });
  });

  it('counts the lines that a full disk refuses', () => {
    const output = outputTo(openSync('/dev/full', 'w'), noStream);
    output.write('one\n');
    output.write('two\nthree\n');
    expect(output).toMatchObject({ lost: 3, trouble: 'ENOSPC' });
  });

  it('counts the lines that nobody can read any more', () => {
    const { reader, output } = pipe();
    output.write('one\n');
    closeSync(reader);
    output.write('two\n');
    expect(output).toMatchObject({ lost: 1, trouble: 'EPIPE' });
  });

  it('keeps no more than 1 MiB for a reader that has stopped reading, and goes on with whole lines when it reads again', () => {
    const { reader, output } = pipe();
    // 3 MiB, where a pipe holds 64 KiB.
    const line = (index: number) => `${String(index).padStart(1023, '.')}\n`;
    for (let index = 0; index < 3072; index++) output.write(line(index));
    const { lost } = output;
    expect(output.trouble).toBe('EAGAIN');
    expect(lost).toBeGreaterThan(1900);
    expect(lost).toBeLessThan(2048);
    let text = '';
    for (let pieces = 0; pieces < 100; pieces++) {
      text += readAll(reader);
      output.write(line(10_000 + pieces));
    }
    text += readAll(reader);
    const indices = text
      .split('\n')
      .slice(0, -1)
      .map((one) => Number(one.replaceAll('.', '')));
    const kept = Array.from({ length: 3072 - lost }, (_, index) => index);
    expect(indices).toEqual([...kept, ...Array.from({ length: 100 }, (_, index) => 10_000 + index)]);
    expect(output).toMatchObject({ lost, trouble: null });
    closeSync(reader);
  });

  it('begins a line of its own after one that was cut short', () => {
    const { reader, openReader, output } = pipe();
    // More than a pipe takes: its beginning is written, and the rest has no reader.
    output.write(`${'x'.repeat(200_000)}\n`);
    const written = readAll(reader);
    expect(written).toMatch(/^x+$/);
    closeSync(reader);
    output.write('lost\n');
    const again = openReader();
    output.write('next\n');
    expect(readAll(again)).toBe('\nnext\n');
    expect(output).toMatchObject({ lost: 2, trouble: null });
    closeSync(again);
  });

  it('counts the lines that a stream of Node refuses, and those that wait for it in vain', async () => {
    const held: ((error?: Error) => void)[] = [];
    const stream = new Writable({ write: (_chunk, _encoding, done) => void held.push(done) });
    // No descriptor: Node's stream is all there is.
    const output = outputTo(-1, () => stream);
    output.write(`${'x'.repeat(2 ** 20 - 1)}\n`);
    output.write('one too many\n');
    expect(output).toMatchObject({ lost: 1, trouble: 'EAGAIN' });
    const closed = new Promise((resolve) => stream.once('close', resolve));
    held[0]?.(Object.assign(new Error('gone'), { code: 'EPIPE' }));
    await closed;
    expect(output).toMatchObject({ lost: 2, trouble: 'EPIPE' });
  });
});
