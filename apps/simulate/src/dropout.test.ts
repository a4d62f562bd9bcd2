import { seededRandom, uniform } from '@coppice/ports';
import { expect, it } from 'vitest';
import { dropsOut } from './dropout.ts';

const clients = Array.from({ length: 200 }, (_, client) => client);

it('draws a first attempt from client and round alone', () => {
  for (const client of clients) {
    const drawn = uniform(seededRandom(7, 'dropout', client, 3)) < 0.4;
    expect(dropsOut({ seed: 7, dropout: 0.4 }, { client, round: 3, attempt: 1 })).toBe(drawn);
  }
});

it('draws every attempt anew, with the same chance, and the same again for the same seed', () => {
  const drawn = (seed: number, attempt: number) =>
    clients.map((client) => dropsOut({ seed, dropout: 0.4 }, { client, round: 3, attempt }));
  for (const attempt of [1, 2, 3, 20]) {
    const share = drawn(7, attempt).filter(Boolean).length / clients.length;
    // Four standard deviations of 200 draws.
    expect(Math.abs(share - 0.4)).toBeLessThan(4 * Math.sqrt((0.4 * 0.6) / clients.length));
    expect(drawn(7, attempt)).toEqual(drawn(7, attempt));
    expect(drawn(7, attempt)).not.toEqual(drawn(7, attempt + 1));
    expect(drawn(7, attempt)).not.toEqual(drawn(8, attempt));
  }
});

it('keeps everyone without dropout', () => {
  expect(clients.some((client) => dropsOut({ seed: 1, dropout: 0 }, { client, round: 1, attempt: 2 }))).toBe(
    false,
  );
});
