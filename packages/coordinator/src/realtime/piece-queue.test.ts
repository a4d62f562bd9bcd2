import { EventEmitter } from 'node:events';
import { expect, it } from 'vitest';
import { PieceQueue } from './piece-queue.ts';

/** A line that takes one message and is busy until it says otherwise. */
class Line extends EventEmitter {
  readyState = 'open';
  readonly transport = Object.assign(new EventEmitter(), { writable: true });

  write(): void {
    this.transport.writable = false;
  }

  taken(): void {
    this.transport.writable = true;
    this.transport.emit('ready');
  }
}

const turns = async () => {
  for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate);
};

it('lets one piece after the other go, each when the line has taken the one before', async () => {
  const line = new Line();
  const queue = new PieceQueue(line as never);
  const gone: number[] = [];
  for (const n of [0, 1, 2]) {
    void queue.turn().then(() => {
      gone.push(n);
      line.write();
    });
  }
  await turns();
  expect(gone).toEqual([0]);
  line.taken();
  await turns();
  expect(gone).toEqual([0, 1]);
  line.taken();
  await turns();
  expect(gone).toEqual([0, 1, 2]);
});

it('refuses more than a window for someone who does not read, and takes more once he does', async () => {
  const line = new Line();
  line.write();
  const queue = new PieceQueue(line as never);
  const waiting = [queue.turn(), queue.turn(), queue.turn(), queue.turn()];
  await expect(queue.turn()).rejects.toMatchObject({ code: 'message-invalid' });
  line.taken();
  await Promise.all(waiting);
  await queue.turn();
});

it('holds nobody up when the connection is gone', async () => {
  const line = new Line();
  line.write();
  const turn = new PieceQueue(line as never).turn();
  await turns();
  line.readyState = 'closed';
  line.emit('close');
  await turn;
});
