import { startCoordinator } from '@coppice/coordinator';
import { memoryStorage } from '../../packages/coordinator/src/storage/memory.ts';

const c = await startCoordinator({
  config: { port: 0, adminKey: 'a-key-for-tests', logLevel: 'silent', operator: 'the school library' },
  storage: await memoryStorage(),
});
const run = await (
  await fetch(c.url + '/api/runs', {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: 'Bearer a-key-for-tests' },
    body: JSON.stringify({
      task: 'iris',
      plan: { minParticipants: 1, rounds: 1, overSelection: 1 },
      start: true,
    }),
  })
).json();
const secret = '00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff';
const log = (dir: string, d: unknown) =>
  console.log(dir, typeof d === 'string' ? d : `<${(d as ArrayBuffer).byteLength} bytes>`);
function open(
  auth: unknown,
  on: (text: string, send: (x: string | Uint8Array) => void, done: () => void) => void,
) {
  return new Promise<void>((resolve) => {
    const ws = new WebSocket(c.url.replace('http', 'ws') + '/socket.io/?EIO=4&transport=websocket');
    ws.binaryType = 'arraybuffer';
    const send = (x: string | Uint8Array) => {
      log('C>', x);
      ws.send(x as string);
    };
    ws.onclose = (e) => {
      console.log('closed', e.code);
      resolve();
    };
    ws.onmessage = ({ data }) => {
      log('S>', data);
      if (typeof data !== 'string') {
        bin = data;
        on('B', send, () => ws.close());
        return;
      }
      if (data[0] === '0') send('40/participant,' + JSON.stringify(auth));
      else on(data, send, () => ws.close());
    };
  });
}
let bin: ArrayBuffer;
await open({ protocol: 0, secret }, (t, s, d) => d());
await open({ protocol: 1, secret: 'x' }, (t, s, d) => d());
let start: any;
await open({ protocol: 1, secret }, (t, send, done) => {
  if (t.includes('["welcome"'))
    send(
      '42/participant,0' +
        JSON.stringify([
          'join',
          { run: run.id, device: 'headless', backend: 'none', examples: 10, speed: null, paused: false },
        ]),
    );
  if (t.includes('["round-start"')) start = JSON.parse(t.slice(t.indexOf('[')))[1];
  if (t === 'B' && start && !start.sent) {
    start.sent = true;
    const f = new Uint8Array(bin.slice(0));
    f[5] = 2; // broken header on purpose
    const m = {
      run: run.id,
      round: 1,
      attempt: 1,
      checkpoint: start.checkpoint,
      examples: 10,
      loss: 0.9,
      evaluation: null,
      milliseconds: 12,
      frame: { _placeholder: true, num: 0 },
    };
    send('451-/participant,1' + JSON.stringify(['update', m]));
    send(f);
    send('42/participant,2' + JSON.stringify(['pull', { run: run.id }]));
    send('451-/participant,3' + JSON.stringify(['update', { ...m, checkpoint: '0'.repeat(64) }]));
    send(f);
    send(
      '42/participant,4' +
        JSON.stringify(['decline', { run: run.id, round: 1, attempt: 1, reason: 'dropout' }]),
    );
  }
  if (t.includes('["round-end"')) done();
});
await c.close();
