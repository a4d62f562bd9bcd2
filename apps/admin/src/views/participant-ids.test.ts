import { describe, expect, it } from 'vitest';
import { readIds } from './participant-ids.ts';

const [a, b] = ['0123456789abcdef0123456789abcdef', 'f'.repeat(32)];

describe('readIds', () => {
  it('takes ids however they were pasted, each once', () => {
    expect(readIds(` ${a}\r\n${b},${a};"${b.toUpperCase()}"，${a} `)).toEqual({ ids: [a, b], wrong: [] });
    expect(readIds('')).toEqual({ ids: [], wrong: [] });
  });

  it('names what is none', () => {
    expect(readIds(`${a} ${a.slice(1)} Dr. ${b}0`)).toEqual({
      ids: [a],
      wrong: [a.slice(1), 'dr.', `${b}0`],
    });
  });
});
