import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { CoppiceError, errorCodeList, errorCodes } from './errors.ts';

const folder = new URL('../../../docs/errors/', import.meta.url);

describe('error codes', () => {
  it.each(errorCodeList)('%s has a page that says what happened, why, and what to do', (code) => {
    const page = new URL(`${code}.md`, folder);
    expect(existsSync(page)).toBe(true);
    const text = readFileSync(page, 'utf8');
    expect(text).toContain(`# \`${code}\``);
    for (const heading of ['## What happened', '## Why', '## What to do']) expect(text).toContain(heading);
    expect(text).toContain(`retry: \`${errorCodes[code]}\``);
  });

  it('have no page without a code', () => {
    const pages = readdirSync(folder).filter((name) => name !== 'README.md');
    expect(pages.map((name) => name.replace(/\.md$/, '')).sort()).toEqual([...errorCodeList].sort());
  });

  it('of a coordinator’s own disk reach participants as one they know', () => {
    const error = new CoppiceError('storage-read-only', 'The disk is read-only.');
    expect(error.toWire()).toEqual({
      code: 'storage-failed',
      message: 'The disk is read-only.',
      retry: 'never',
    });
  });

  it('cross the wire and come back', () => {
    const error = new CoppiceError('update-late', 'Too late.');
    expect(CoppiceError.fromWire(error.toWire())).toMatchObject({
      code: 'update-late',
      message: 'Too late.',
      retry: 'with-current-model',
    });
  });

  it('cross it with what to do, and after how long', () => {
    const wire = new CoppiceError('rate-limited', 'Too fast.', { retryAfter: 1500 }).toWire();
    expect(wire).toEqual({ code: 'rate-limited', message: 'Too fast.', retry: 'later', retryAfter: 1500 });
    expect(CoppiceError.fromWire(wire)).toMatchObject({ retry: 'later', retryAfter: 1500 });
  });

  it.each([
    [
      { code: 'of-tomorrow', message: 'New.', retry: 'join' },
      { code: 'internal', message: 'New.', retry: 'join' },
    ],
    [
      { code: 'run-ended', message: 'Over.' },
      { code: 'run-ended', message: 'Over.', retry: 'never' },
    ],
    [
      { code: 'run-ended', message: 'Over.', retry: 'perhaps' },
      { code: 'run-ended', retry: 'never' },
    ],
    [
      { code: 'of-tomorrow', message: 'New.' },
      { code: 'internal', retry: 'later' },
    ],
    ['502 Bad Gateway', { code: 'internal', retry: 'later' }],
  ])('are read by what to do where their code is not known: %j', (answer, expected) => {
    expect(CoppiceError.fromAnswer(answer)).toMatchObject(expected);
  });

  it('are wrapped once, with the cause kept', () => {
    const cause = new Error('inner');
    const wrapped = CoppiceError.from(cause);
    expect(wrapped).toMatchObject({ code: 'internal', cause });
    expect(CoppiceError.from(wrapped)).toBe(wrapped);
  });
});
