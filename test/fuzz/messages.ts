import { crc32 } from 'node:zlib';
import type { UpName } from '@coppice/protocol';
import { type Draw, mutateBytes, mutateValue, sampleUp } from '@coppice/protocol/testing';
import type { Tensor } from '../conformance/raw-contribution.ts';
import type { Json } from '../conformance/raw-participant.ts';
import { answerFrame } from '../faults/world.ts';

/** An attacker's knowledge of the run, which makes its messages nearly valid. */
export interface Known {
  readonly run: string;
  round: number;
  attempt: number;
  checkpoint: string;
  /** The attacker's own ticket, once it was asked; before, another participant's. */
  ticket: string;
  /** Layout of an answer. */
  layout: readonly Tensor[];
  parameters: number;
}

/** A message on a WebSocket: a text, with the binary messages that it announces. */
export interface Packet {
  readonly text: string;
  readonly attachments: readonly Uint8Array[];
}

/** Beyond the run's norm bound: such an update is read to its end and never counted. */
const TOO_LONG = 1e6;

const kinds = Object.keys(sampleUp) as UpName[];
const pick = <T>(from: readonly T[], draw: Draw): T => from[draw(from.length)] as T;

/** A message of this kind that would be accepted or, for an answer, be refused only after all other checks. */
function nearlyRight(name: UpName, known: Known): Json {
  const { run, ticket, checkpoint } = known;
  const message: Json = { ...sampleUp[name] };
  const facts: Json = { run, ticket, tickets: [ticket], hash: checkpoint, weight: 5 };
  for (const field of Object.keys(message)) if (field in facts) message[field] = facts[field];
  if (name === 'answer')
    message['frame'] = answerFrame(known.layout, Array<number>(known.parameters).fill(TOO_LONG));
  return message;
}

/** A changed frame with recomputed checksums. */
function forged(bytes: Uint8Array, draw: Draw): Uint8Array {
  // In the header most can be said that is wrong.
  const changed =
    draw(3) === 0
      ? mutateBytes(bytes, draw)
      : // No Buffer, which JSON would take for something else than bytes.
        new Uint8Array(
          Buffer.concat([bytes.subarray(0, 4), mutateBytes(bytes.subarray(4, 32), draw), bytes.subarray(32)]),
        );
  if (changed.length < 40) return changed;
  const view = new DataView(changed.buffer);
  if (draw(2) === 0) view.setUint32(28, changed.length - 40, true);
  view.setUint32(32, crc32(changed.subarray(40)), true);
  view.setUint32(36, crc32(changed.subarray(0, 36)), true);
  return changed;
}

/** A ticket with a change: of its round and attempt, or of its seal. */
function wrongTicket({ ticket, round, attempt }: Known, draw: Draw): string {
  const nearby = (value: number) => value + 1 - draw(3);
  const [, seal = ''] = ticket.split('.');
  if (draw(2) === 0) return `t${nearby(round)}-${nearby(attempt)}.${seal}`;
  return ticket.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A'));
}

/** An answer with a fault that only its exchange, or the check of its numbers, can find. */
function wrongAnswer(known: Known, draw: Draw): Json {
  const answer = nearlyRight('answer', known);
  const bytes = answer['frame'] as Uint8Array;
  switch (draw(5)) {
    case 0:
      return { ...answer, frame: mutateBytes(bytes, draw) };
    case 1:
    case 2:
      return { ...answer, frame: forged(bytes, draw) };
    case 3:
      return { ...answer, ticket: wrongTicket(known, draw) };
    default:
      return { ...answer, weight: 1 + draw(10) };
  }
}

/** A changed message of any kind, or of the given one. */
export function mutatedMessage(known: Known, draw: Draw, given?: UpName): Packet {
  // The one that most is done with.
  const name = given ?? (draw(3) === 0 ? 'answer' : pick(kinds, draw));
  if (name === 'answer' && draw(2) === 0) return packet([name, wrongAnswer(known, draw)], draw);
  let message: unknown = nearlyRight(name, known);
  for (let n = 1 + draw(3); n > 0; n--) message = mutateValue(message, draw);
  return packet([draw(20) === 0 ? pick(strangers, draw) : name, message], draw);
}

/** Names of events that Socket.IO accepts. */
const strangers = [
  'error',
  'connection',
  'challenge',
  'welcome',
  'prove',
  '__proto__',
  'constructor',
  'hasOwnProperty',
  '',
  '\ud800',
  'x'.repeat(5000),
  7,
];
/** Names of events that Socket.IO reserves. */
const reserved = [
  'disconnect',
  'disconnecting',
  'connect',
  'newListener',
  'removeListener',
  null,
  ['answer'],
  { name: 'answer' },
];

function strangeName(draw: Draw): unknown {
  return pick<unknown>([...strangers, ...reserved], draw);
}

/** An event that is unknown, or has a meaning to Socket.IO or Node, with any content. */
export function strangeEvent(known: Known, draw: Draw): Packet {
  const list: unknown[] = [strangeName(draw)];
  for (let n = draw(4); n > 0; n--) list.push(mutateValue(nearlyRight(pick(kinds, draw), known), draw));
  return packet(list, draw);
}

/** A packet that announces a wrong number of attachments, or places them wrongly. */
export function wrongAttachments(known: Known, draw: Draw): Packet {
  const right = packet(['answer', nearlyRight('answer', known)], draw);
  const said = pick(['0', '2', '3', '10', '11', '999999999', '-1', '1e3', '', 'x'], draw);
  const num = pick(['-1', '1', '99', '1.5', '"0"', 'null', '{}', '0,"__proto__":{"a":1}'], draw);
  const text =
    draw(2) === 0 ? right.text.replace('1-', `${said}-`) : right.text.replace('"num":0', `"num":${num}`);
  const attachments = Array.from({ length: draw(4) }, () =>
    mutateBytes(right.attachments[0] as Uint8Array, draw),
  );
  return { text, attachments };
}

/** A valid packet of Socket.IO and Engine.IO, mutated byte by byte. */
export function mutatedPacket(known: Known, draw: Draw): Packet {
  const right = packet([pick(kinds, draw), nearlyRight(pick(kinds, draw), known)], draw);
  let bytes: Uint8Array = Buffer.from(right.text);
  for (let n = 1 + draw(4); n > 0; n--) bytes = mutateBytes(bytes, draw);
  return {
    text: Buffer.from(bytes).toString(draw(2) === 0 ? 'utf8' : 'latin1'),
    attachments: right.attachments,
  };
}

const loose = [
  '',
  '0',
  '1',
  '2',
  '2probe',
  '3',
  '4',
  '40',
  '41',
  '5',
  '6',
  '7',
  '9',
  'b',
  'bAAAA',
  '40/',
  '40/nothing,',
  '40/admin,',
  '40/admin,{}',
  '40/admin,{"key":1}',
  '40/admin,{"key":"guess"}',
  '40/admin,null',
  '40/__proto__,',
  '40/participant,',
  '40/participant,{"protocol":1e999,"key":[]}',
  '40/participant,[]',
  '40/participant,"x"',
  '43/participant,0[]',
  '43/participant,99999999999999999999[{}]',
  '44/participant,{}',
  '41/participant,',
  '42[]',
  '42/participant,[]',
  '42/participant,{}',
  '42/participant,0',
  '450-/participant,[]',
  '461-/participant,0[{"_placeholder":true,"num":0}]',
];

/** A packet that is valid elsewhere, or nowhere. */
export function loosePacket(draw: Draw): Packet {
  const text = pick(loose, draw);
  return {
    text: draw(3) === 0 ? Buffer.from(mutateBytes(Buffer.from(text), draw)).toString() : text,
    attachments: [],
  };
}

/** Packs an event as Socket.IO does: bytes are extracted and follow. */
function packet(list: readonly unknown[], draw: Draw): Packet {
  const attachments: Uint8Array[] = [];
  const text = JSON.stringify(list, (_key, value: unknown) => {
    if (!(value instanceof Uint8Array)) return value;
    return { _placeholder: true, num: attachments.push(value) - 1 };
  });
  const id = draw(4) === 0 ? '' : `${1000 + draw(1000)}`;
  const head = attachments.length === 0 ? '42' : `45${attachments.length}-`;
  return { text: `${head}/participant,${id}${text}`, attachments };
}
