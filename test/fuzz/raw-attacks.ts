import { connect } from 'node:net';
import { type Draw, mutateBytes } from '@coppice/protocol/testing';
import type { Known } from './messages.ts';
import { mutatedMessage } from './messages.ts';
import type { Target } from './target.ts';

/*
 * What comes at the port and is no message: requests, frames of WebSocket and polling bodies that were changed
 * byte by byte, and noise. Each on a connection of its own, which ends with it.
 */

const pick = <T>(from: readonly T[], draw: Draw): T => from[draw(from.length)] as T;
const strange = [
  '%',
  '%00',
  '%E0%A4%A',
  '%2e%2e%2f',
  '..',
  '\ud800',
  '💥',
  'x'.repeat(9000),
  "' or 1=1--",
  '__proto__',
  '-1',
  '1e9',
  '%0d%0a',
];

const paths = (run: string) => [
  '/',
  '/admin',
  '/index.html',
  '/assets/x.js',
  '/healthz',
  '/readyz',
  '/metrics',
  '/api/info',
  '/api/session',
  '/api/openapi.json',
  '/api/tasks',
  '/api/tasks/iris',
  '/api/tasks/iris/samples?share=0&of=5',
  '/api/runs',
  `/api/runs/${run}`,
  `/api/runs/${run}/plan`,
  `/api/runs/${run}/rounds`,
  `/api/runs/${run}/checkpoints`,
  `/api/runs/${run}/stop`,
  `/api/events?run=${run}&after=3`,
  '/api/audit?before=3&admin=a&action=login',
  '/api/admins/x',
  '/api/tokens/x',
  '/models/iris/latest/model.json',
  '/models/iris/latest/weights.bin',
  `/models/iris/${'ab'.repeat(32)}/weights.bin`,
  '/socket.io/?EIO=4&transport=polling',
  '/socket.io/?EIO=4&transport=websocket&sid=abc',
  '/socket.io/?EIO=3&transport=flashsocket',
];

const headers = [
  'Cookie: coppice_session=abc; __Host-coppice_session=%00',
  'Cookie: =;;;=a; coppice_session',
  'Authorization: Bearer guess',
  'Authorization: Basic \xff\xfe',
  'X-Forwarded-For: 1.2.3.4, ::1, unknown, "',
  'X-Forwarded-Proto: https, javascript',
  'X-Forwarded-Host: \xff',
  'Accept-Language: zh;q=9, *;q=-1',
  'Accept-Encoding: gzip;q=x, *',
  'Range: bytes=9-1, -0, 5-99999999999999999999',
  'If-None-Match: W/"',
  'If-Modified-Since: never',
  'Origin: http://[::1',
  'Sec-Fetch-Site: none of yours',
  'Content-Type: application/json; charset=utf-7',
  'Content-Type: application/json; charset="',
  'Content-Encoding: gzip',
  'Content-Encoding: br, br, br',
  'Expect: 100-continue',
  'Transfer-Encoding: chunked',
  'Content-Length: 18446744073709551616',
  'Upgrade: websocket',
];

const bodies = [
  '{"task":"iris","plan":{"seed":1},"start":false}',
  '{"key":"guess"}',
  '{"code":"guess","name":"a","password":"a long enough one"}',
  '{"__proto__":{"admin":true}}',
  '[[[[[[[[',
  '"\\ud800"',
  '1e999',
  `${'['.repeat(30_000)}`,
  '5\r\n{"a":\r\n1\r\n1\r\n0\r\n\r\n',
];

/** The bytes of an unusual request, possibly mutated. */
export function strangeRequest(known: Known, draw: Draw): Uint8Array {
  let path = pick(paths(known.run), draw);
  if (draw(3) === 0) {
    const at = draw(path.length + 1);
    path = path.slice(0, at) + pick(strange, draw) + path.slice(at + draw(4));
  }
  const method = pick(
    ['GET', 'GET', 'GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS', 'BREW'],
    draw,
  );
  // Signing in takes 128 MiB and its time, by design, and is limited; it is not what this is about.
  const body = method === 'GET' || method === 'HEAD' ? '' : pick(bodies, draw);
  const lines = [`${method} ${path} HTTP/1.1`, 'Host: 127.0.0.1', 'Connection: close'];
  for (let n = draw(4); n > 0; n--) lines.push(pick(headers, draw));
  if (body !== '') lines.push('Content-Type: application/json', `Content-Length: ${Buffer.byteLength(body)}`);
  let bytes: Uint8Array = Buffer.from(
    `${lines.join('\r\n')}\r\n\r\n${body}`,
    draw(2) === 0 ? 'latin1' : 'utf8',
  );
  if (draw(3) === 0) for (let n = 1 + draw(3); n > 0; n--) bytes = mutateBytes(bytes, draw);
  return bytes;
}

/** A client's WebSocket frame by RFC 6455, or nearly. */
function webSocketFrame(payload: Uint8Array, draw: Draw): Uint8Array {
  const mask = Uint8Array.from({ length: 4 }, () => draw(256));
  const first = draw(4) === 0 ? draw(256) : 0x81;
  const head =
    payload.length < 126
      ? Buffer.from([first, 0x80 | payload.length])
      : Buffer.from([first, 0x80 | 126, (payload.length >> 8) & 0xff, payload.length & 0xff]);
  const masked = payload.map((byte, i) => byte ^ (mask[i % 4] as number));
  const frame = Buffer.concat([head, mask, masked]);
  return draw(3) === 0 ? mutateBytes(frame, draw) : frame;
}

/** A connection that becomes a WebSocket and then sends damaged, unmasked, unfinished or unknown frames. */
export function strangeFrames(known: Known, draw: Draw): Uint8Array {
  const upgrade = [
    'GET /socket.io/?EIO=4&transport=websocket HTTP/1.1',
    'Host: 127.0.0.1',
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    ...(draw(4) === 0 ? ['Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=99'] : []),
  ].join('\r\n');
  const frames: Uint8Array[] = [];
  for (let n = 1 + draw(6); n > 0; n--)
    frames.push(webSocketFrame(Buffer.from(mutatedMessage(known, draw).text.slice(0, 60_000)), draw));
  const head = Buffer.from(`${upgrade}\r\n\r\n`);
  return Buffer.concat([draw(8) === 0 ? mutateBytes(head, draw) : head, ...frames]);
}

export function noise(draw: Draw): Uint8Array {
  const bytes = Uint8Array.from({ length: draw(2000) }, () => draw(256));
  // The first bytes of TLS, of HTTP/2, of nothing.
  const start = pick(
    ['', '\x16\x03\x01\x02\x00\x01', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'GET ', '\0\0\0\0'],
    draw,
  );
  return Buffer.concat([Buffer.from(start, 'latin1'), bytes]);
}

/** Writes bytes to the port and nothing more. @returns the received bytes until the connection ended. */
export function throwAt(target: Target, bytes: Uint8Array): Promise<string> {
  return new Promise((resolve) => {
    const heard: Buffer[] = [];
    const socket = connect({ port: target.port, host: '127.0.0.1' }, () => socket.end(bytes));
    socket.on('data', (chunk) => heard.push(chunk));
    // A connection closed in the middle of a message is reset.
    socket.on('error', () => {});
    socket.on('close', () => resolve(Buffer.concat(heard).toString('latin1')));
  });
}

/** Attacks long polling: opens a valid session, and posts invalid content to it. */
export async function strangePolling(
  target: Target,
  known: Known,
  draw: Draw,
  heard: (text: string, status: number) => void,
): Promise<number> {
  const address = `${target.url}/socket.io/?EIO=4&transport=polling`;
  const opened = await fetch(address);
  const text = await opened.text();
  heard(text, opened.status);
  const sid = text.match(/"sid":"([^"]+)"/)?.[1];
  if (sid === undefined) return 0;
  let sent = 0;
  for (let n = 1 + draw(5); n > 0; n--) {
    const { text: packet, attachments } = mutatedMessage(known, draw);
    const parts = [packet, ...attachments.map((bytes) => `b${Buffer.from(bytes).toString('base64')}`)];
    const body = Buffer.from(parts.join('\x1e'));
    const posted = await fetch(`${address}&sid=${draw(10) === 0 ? 'another' : sid}`, {
      method: 'POST',
      headers: { 'content-type': pick(['text/plain;charset=UTF-8', 'application/octet-stream', 'x'], draw) },
      body: draw(2) === 0 ? mutateBytes(body, draw) : body,
    });
    sent++;
    heard(await posted.text(), posted.status);
    if (!posted.ok) break;
  }
  // Closed as by a client, so that the session does not wait for a heartbeat that never comes.
  const ended = await fetch(`${address}&sid=${sid}`, { method: 'POST', body: '1' });
  heard(await ended.text(), ended.status);
  return sent;
}
