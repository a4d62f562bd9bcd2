import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Server } from 'socket.io';
import { serveMeasurements } from './child.ts';

/*
 * The yardstick: Socket.IO and nothing else. On "go" it sends one binary of the given size to everyone
 * and acknowledges one of the same size from each.
 */
const bytes = Number(process.argv[2]);
const http = createServer();
const io = new Server(http, { maxHttpBufferSize: 1e9, perMessageDeflate: false, serveClient: false });
const frame = Buffer.alloc(bytes, 7);
let returned = 0;
io.on('connection', (socket) => {
  socket.on('go', () => {
    returned = 0;
    io.emit('frame', { frame });
  });
  socket.on('back', (_message: unknown, acknowledge: () => void) => {
    acknowledge();
    if (++returned === io.engine.clientsCount) io.emit('round');
  });
});
http.listen(0, '127.0.0.1', () =>
  serveMeasurements(`http://127.0.0.1:${(http.address() as AddressInfo).port}`),
);
