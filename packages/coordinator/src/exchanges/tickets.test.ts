import { createHmac } from 'node:crypto';
import { seededRandom, uniform } from '@coppice/ports';
import { upMessages } from '@coppice/protocol';
import { expect, it } from 'vitest';
import { roundOf, Tickets, trainName } from './tickets.ts';

const A = 'a'.repeat(32);
const B = 'b'.repeat(32);
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

it('has the format that tickets of runs under way have, and fits into a message', () => {
  const ticket = tickets.issue(trainName(12, 3), A);
  const seal = createHmac('sha256', 'a secret').update(`toy-1\nt12-3\n${A}`).digest('base64url');
  expect(ticket).toBe(`t12-3.${seal.slice(0, 22)}`);
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

it('tells the round and attempt of its name, and of no other', () => {
  expect(roundOf(trainName(7, 2))).toEqual({ round: 7, attempt: 2 });
  for (const name of ['e7-1', 't7', 't7-', 't-1', 't7-1-1', 't7-1x', ' t7-1', 't7.5-1'])
    expect(roundOf(name)).toBeNull();
});
