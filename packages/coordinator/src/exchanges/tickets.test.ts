import { createHmac } from 'node:crypto';
import { seededRandom, uniform } from '@coppice/ports';
import { upMessages } from '@coppice/protocol';
import { expect, it } from 'vitest';
import { evaluateName, roundOf, Tickets, trainName } from './tickets.ts';

const A = 'a'.repeat(32);
const B = 'b'.repeat(32);
const parent = '0123abcd'.repeat(8);
const tickets = new Tickets('toy-1', 'a secret');

it('names an exchange to the participant that it was given to, and to nobody else', () => {
  const ticket = tickets.issue('t3-1', A);
  expect(tickets.read(ticket, A)).toBe('t3-1');
  expect(tickets.read(ticket, B)).toBeNull();
  expect(new Tickets('toy-2', 'a secret').read(ticket, A)).toBeNull();
  expect(new Tickets('toy-1', 'another secret').read(ticket, A)).toBeNull();
  // As another process reads it.
  expect(new Tickets('toy-1', 'a secret').read(ticket, A)).toBe('t3-1');
});

it('names round, attempt and model before, with a seal, and fits into a message', () => {
  const ticket = tickets.issue(trainName({ round: 12, attempt: 3, parent }), A);
  const seal = createHmac('sha256', 'a secret').update(`toy-1\nt12-3-0123abcd\n${A}`).digest('base64url');
  expect(ticket).toBe(`t12-3-0123abcd.${seal.slice(0, 22)}`);
  expect(upMessages.counted.schema.safeParse({ run: 'toy-1', tickets: [ticket] }).success).toBe(true);
});

it('is not read where anything of it was changed', () => {
  const ticket = tickets.issue('t3-1', A);
  const random = seededRandom('altered tickets');
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-';
  for (let at = 0; at < ticket.length; at++) {
    const other = alphabet[Math.floor(uniform(random) * alphabet.length)] as string;
    if (other !== ticket[at])
      expect(tickets.read(ticket.slice(0, at) + other + ticket.slice(at + 1), A), `at ${at}`).toBeNull();
    expect(tickets.read(ticket.slice(0, at), A), `cut at ${at}`).toBeNull();
    expect(tickets.read(ticket.slice(0, at) + other + ticket.slice(at), A), `longer at ${at}`).toBeNull();
  }
  for (const none of ['', '.', 't3-1', 't3-1.', `.${ticket.split('.')[1]}`, '\u{1F600}.'.repeat(11)])
    expect(tickets.read(none, A), none).toBeNull();
});

it('tells the round, the attempt and the model before of its name, and of no other', () => {
  const name = trainName({ round: 7, attempt: 2, parent });
  expect(roundOf(name)).toEqual({ round: 7, attempt: 2, parent: parent.slice(0, 8) });
  expect(trainName({ round: 7, attempt: 2, parent: 'f'.repeat(64) })).not.toBe(name);
  expect(evaluateName(7, parent)).not.toBe(evaluateName(7, 'f'.repeat(64)));
  for (const name of [
    evaluateName(7, parent),
    'e7-1',
    't7-1',
    't7-1-',
    't7-1-1',
    't7--0123abcd',
    't-1-0123abcd',
    't7-1-0123abcdx',
    't7-1-0123ABCD',
    ' t7-1-0123abcd',
    't7.5-1-0123abcd',
  ])
    expect(roundOf(name)).toBeNull();
});
