import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { cp, mkdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ImageData } from '@coppice/protocol';
import { afterAll, describe, expect, it } from 'vitest';
import { prepareImage } from '../image.ts';
import { readPictureFile } from './picture-file.ts';
import { readPictureFolder } from './picture-folder.ts';

/* Files and expected results are Pillow's: fixtures/make.py. */
const fixture = (name: string) => readFileSync(new URL(`./fixtures/${name}`, import.meta.url));
const read = (name: string) => readPictureFile(fixture(name));
const task = (width: number, height: number): ImageData => ({
  kind: 'image',
  width,
  height,
  channels: 3,
  classes: ['Cat', 'dog'],
});

/** Bytes of colour without alpha. */
const colours = ({ data }: { data: ArrayLike<number> }) => Array.from(data).filter((_, i) => i % 4 < 3);
/** The pixels that make.py writes. */
const made = Array.from({ length: 32 * 48 }, (_, i) => {
  const [x, y] = [i % 48, Math.floor(i / 48)];
  return [x * 5, y * 8, (x * 7 + y * 3) % 256] as const;
});
function meanError(a: ArrayLike<number>, b: ArrayLike<number>): number {
  expect(a.length).toBe(b.length);
  return Array.from(a).reduce((sum, value, i) => sum + Math.abs(value - (b[i] as number)), 0) / a.length;
}

describe('a picture file', () => {
  it('is read as it was written, as PNG in colour, grey, with a palette, alpha or 16 bits', async () => {
    expect(colours(await read('colours.png'))).toEqual(made.flat());
    // ITU-R BT.601, as Pillow rounds it.
    const grey = made.map(([r, g, b]) => (r * 19595 + g * 38470 + b * 7471 + 0x8000) >> 16);
    expect(colours(await read('grey.png'))).toEqual(grey.flatMap((value) => [value, value, value]));
    const alpha = await read('alpha.png');
    expect([...alpha.data.subarray(0, 8)]).toEqual([255, 0, 0, 0, 5, 0, 7, 128]);
    const palette = await read('palette.png');
    expect(new Set(palette.data.filter((_, i) => i % 4 === 3))).toEqual(new Set([0, 128, 255]));
    expect(meanError(colours(palette), made.flat())).toBeLessThan(30);
    const sixteen = await read('sixteen.png');
    expect(colours(sixteen)).toEqual(made.flatMap((_, i) => Array(3).fill((i * 5) % 256)));
  });

  it('is read as JPEG, turned as its EXIF data say', async () => {
    expect(meanError(colours(await read('colours.jpg')), made.flat())).toBeLessThan(12);
    const turned = await read('turned.jpg');
    expect([turned.width, turned.height]).toEqual([48, 32]);
    expect(meanError(colours(turned), made.flat())).toBeLessThan(3);
  });

  it.each([
    ['panorama-text', 224],
    ['text1200', 600],
  ] as const)('keeps letters that a first step to 512 pixels made unreadable: %s', async (name, side) => {
    const expected = colours(await read(`${name}.${side}x${side}.png`));
    const prepared = prepareImage(await read(`${name}.png`), task(side, side));
    expect(meanError(prepared, expected)).toBeLessThan(0.05);
    // At the picture's edge Pillow gives what lies beyond no weight; here the edge goes on.
    const inside = (i: number) =>
      [i / 3, i / 3 / side].every((at) => Math.floor(at) % side > 0 && Math.floor(at) % side < side - 1);
    expect(prepared.findIndex((byte, i) => inside(i) && Math.abs(byte - (expected[i] as number)) > 1)).toBe(
      -1,
    );
  });

  it.each<[string, Uint8Array]>([
    ['is neither PNG nor JPEG', new TextEncoder().encode('<svg xmlns="http://www.w3.org/2000/svg"/>')],
    ['is neither PNG nor JPEG', new Uint8Array()],
    ['is damaged', fixture('colours.png').subarray(0, 100)],
    ['is damaged', fixture('colours.jpg').subarray(0, 20)],
    ['are more than', withSize(fixture('colours.png'), 100_000)],
  ])('is refused where it %s', async (why, bytes) => {
    await expect(readPictureFile(bytes)).rejects.toMatchObject({
      code: 'data-invalid',
      message: expect.stringContaining(why),
    });
    expect((await read('colours.jpg')).width).toBe(48);
  });
});

function withSize(png: Uint8Array, side: number): Uint8Array {
  const bytes = new Uint8Array(png);
  new DataView(bytes.buffer).setUint32(16, side);
  new DataView(bytes.buffer).setUint32(20, side);
  return bytes;
}

describe('a folder of pictures', () => {
  const folder = mkdtempSync(join(tmpdir(), 'coppice-pictures-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('gives examples by the names of its folders, and names the files that gave none', async () => {
    await expect(readPictureFolder(join(folder, 'none'), task(4, 4))).rejects.toMatchObject({
      code: 'data-invalid',
    });
    await expect(readPictureFolder(folder, task(4, 4))).rejects.toThrow(/has no files/);
    const from = new URL('./fixtures/', import.meta.url).pathname;
    for (const inner of ['DOG/old', 'cat', 'bird']) await mkdir(join(folder, inner), { recursive: true });
    await cp(join(from, 'colours.png'), join(folder, 'DOG/old/1.png'));
    await cp(join(from, 'turned.jpg'), join(folder, 'cat/without-an-ending'));
    await cp(join(from, 'grey.png'), join(folder, 'bird/2.png'));
    await writeFile(join(folder, 'cat/notes.txt'), 'no picture');
    await writeFile(join(folder, 'cat/.hidden'), '');
    const { examples, skipped } = await readPictureFolder(folder, task(4, 4));
    expect(examples.count).toBe(2);
    expect([...examples.labels]).toEqual([1, 0]);
    expect(examples.features.subarray(0, 48)).toEqual(prepareImage(await read('colours.png'), task(4, 4)));
    expect(skipped).toEqual([
      { path: 'bird/2.png', why: 'It lies in no folder with the name of a class.' },
      { path: 'cat/notes.txt', why: expect.stringContaining('neither PNG nor JPEG') },
    ]);
  });
});
