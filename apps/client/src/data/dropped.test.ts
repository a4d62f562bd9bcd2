import { describe, expect, it } from 'vitest';
import { isPicture, sortByClass } from './dropped.ts';

const file = (path: string, type = 'image/png') => ({
  file: new File([], path.split('/').at(-1) as string, { type }),
  path,
});

/** The name of the class that a picture of this path is sorted into; `null` for none. */
function classOf(path: string, classes: readonly string[]): string | null {
  const [label] = sortByClass([file(path)], classes).byClass.keys();
  return label === undefined ? null : (classes[label] as string);
}

describe('sortByClass', () => {
  it.each([
    ['pets/cat/1.png', ['cat', 'dog'], 'cat'],
    ['cat/Dog/1.png', ['cat', 'dog'], 'dog'],
    ['pets/dog/old/1.png', ['cat', 'dog'], 'dog'],
    ['cat.png', ['cat.png', 'dog'], null],
    ['pets/cat.png', ['cat.png', 'dog'], null],
    ['a/1.png', ['a', 'A'], 'a'],
    ['A/1.png', ['a', 'A'], 'A'],
    ['B/1.png', ['b', 'c'], 'b'],
    ['A\u0308pfel/1.png', ['\u00c4pfel', 'Birnen'], '\u00c4pfel'],
    ['01/1.png', ['1', '2'], '1'],
    ['0/1.png', ['1', '2'], null],
    ['1/1.png', ['cat', 'dog'], null],
  ])('of %s among %j: %s', (path, classes, expected) => {
    expect(classOf(path, classes)).toBe(expected);
  });

  it('counts the pictures of other folders by folder; other files are passed over', () => {
    const { byClass, unplaced } = sortByClass(
      [
        file('a/cat/1.png'),
        file('a/cat/2.png'),
        file('a/fish/3.png'),
        file('a/bird/4.png'),
        file('b/bird/5.png'),
        file('6.png'),
        file('a/bird/notes.txt', 'text/plain'),
      ],
      ['cat', 'dog'],
    );
    expect([...byClass].map(([label, files]) => [label, files.map(({ name }) => name)])).toEqual([
      [0, ['1.png', '2.png']],
    ]);
    expect(unplaced).toEqual([
      { folder: 'bird', count: 2, first: 'a/bird/4.png' },
      { folder: 'fish', count: 1, first: 'a/fish/3.png' },
      { folder: null, count: 1, first: '6.png' },
    ]);
  });
});

describe('isPicture', () => {
  it('goes by type, or by name where the system tells no type', () => {
    expect(isPicture({ type: 'image/webp', name: 'x' })).toBe(true);
    expect(isPicture({ type: '', name: 'X.JPEG' })).toBe(true);
    expect(isPicture({ type: '', name: 'x.csv' })).toBe(false);
    // Neither says what it is: it is tried.
    expect(isPicture({ type: '', name: 'IMG_0001' })).toBe(true);
    expect(isPicture({ type: '', name: '.DS_Store' })).toBe(false);
    expect(isPicture({ type: 'text/plain', name: 'notes' })).toBe(false);
  });
});
