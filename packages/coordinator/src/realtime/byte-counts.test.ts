import type { Socket } from 'node:net';
import { expect, it } from 'vitest';
import { ByteCounts } from './byte-counts.ts';

const socketOf = (bytesRead: number, bytesWritten: number) => ({ bytesRead, bytesWritten });

it('counts connections while they are open and after, each once', () => {
  const counts = new ByteCounts();
  const [first, second] = [
    { up: 3, down: 5 },
    { up: 0, down: 0 },
  ];
  const end = counts.connection(() => ({ ...first }));
  counts.connection(() => ({ ...second }));
  Object.assign(second, { up: 10, down: 100 });
  expect(counts.total).toEqual({ up: 13, down: 105 });
  end();
  end();
  first.down = 1000;
  expect(counts.total).toEqual({ up: 13, down: 105 });
});

it('counts of a connection that serves others, too, what goes out during a response', () => {
  const counts = new ByteCounts();
  const shared = socketOf(50, 200);
  const end = counts.response(shared as Socket);
  shared.bytesWritten = 260;
  expect(counts.total).toEqual({ up: 0, down: 60 });
  shared.bytesWritten = 300;
  end();
  shared.bytesWritten = 900;
  expect(counts.total).toEqual({ up: 0, down: 100 });
});
