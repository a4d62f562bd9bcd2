import { describe, expect, it } from 'vitest';
import { classOfPath, isPicture, sortByClass } from './dropped.ts';

const classes = ['cat', 'dog'];

describe('classOfPath', () => {
  it('takes the innermost folder with the name of a class', () => {
    expect(classOfPath('pets/cat/1.png', classes)).toBe(0);
    expect(classOfPath('cat/Dog/1.png', classes)).toBe(1);
    expect(classOfPath('pets/dog/old/1.png', classes)).toBe(1);
  });

  it('never takes the file itself for a folder', () => {
    expect(classOfPath('cat', classes)).toBeNull();
    expect(classOfPath('pets/cat.png', classes)).toBeNull();
  });
});

describe('sortByClass', () => {
  it('sorts pictures and counts those without a place; other files are passed over', () => {
    const file = (name: string, type: string) => new File([], name, { type });
    const { byClass, unplaced } = sortByClass(
      [
        { file: file('1.png', 'image/png'), path: 'a/cat/1.png' },
        { file: file('2.png', 'image/png'), path: 'a/cat/2.png' },
        { file: file('3.png', 'image/png'), path: 'a/bird/3.png' },
        { file: file('notes.txt', 'text/plain'), path: 'a/cat/notes.txt' },
      ],
      classes,
    );
    expect(byClass.get(0)?.map(({ name }) => name)).toEqual(['1.png', '2.png']);
    expect(byClass.has(1)).toBe(false);
    expect(unplaced).toBe(1);
  });
});

describe('isPicture', () => {
  it('goes by type, or by name where the system tells no type', () => {
    expect(isPicture({ type: 'image/webp', name: 'x' })).toBe(true);
    expect(isPicture({ type: '', name: 'X.JPEG' })).toBe(true);
    expect(isPicture({ type: '', name: 'x.csv' })).toBe(false);
  });
});
