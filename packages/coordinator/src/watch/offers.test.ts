import { CoppiceError, MAX_MONITORED_TASKS } from '@coppice/protocol';
import { expect, it } from 'vitest';
import { taskPlace } from '../security/places.ts';
import { TaskOffers } from './offers.ts';

const asked = { consent: 'ab'.repeat(32), recipe: 'cd'.repeat(32) };
const other = 'ef'.repeat(32);
const code = (expected: string) => expect.objectContaining({ code: expected });

function world() {
  const told: [string, string, string][] = [];
  const refused = new Set<string>();
  let secrets = 0;
  const offers = new TaskOffers({
    admissions: {
      refusal: (participant, place) =>
        refused.has(`${participant} ${place}`) ? new CoppiceError('run-not-admitted', 'Not listed.') : null,
    },
    newSecret: () => `secret${++secrets}`,
    tell: (participant, task, { code: why }) => void told.push([participant, task, why]),
  });
  return { offers, told, refused };
}

it('keeps offers while nothing is asked, and calls back for those that come while something is', () => {
  const { offers, told } = world();
  const came: string[] = [];
  const end = offers.on('toy', (participant) => void came.push(participant));
  offers.comes('toy', 'a', asked);
  offers.comes('toy', 'b', { ...asked, consent: other });
  offers.comes('other', 'c', asked);
  expect([offers.of('toy'), came]).toEqual([[], []]);
  offers.asks('toy', asked);
  expect(offers.of('toy')).toEqual(['a']);
  expect(told).toEqual([['b', 'toy', 'consent-outdated']]);
  offers.comes('toy', 'b', asked);
  offers.comes('toy', 'a', asked);
  offers.comes('other', 'b', asked);
  expect([offers.of('toy'), came]).toEqual([
    ['b', 'a'],
    ['b', 'a'],
  ]);
  offers.goes('b');
  expect(offers.of('toy')).toEqual(['a']);
  end();
  offers.comes('toy', 'b', asked);
  expect(came).toHaveLength(2);
});

it('refuses what is not asked for, and forgets the offer before', () => {
  const { offers, refused } = world();
  offers.asks('toy', asked);
  offers.comes('toy', 'a', asked);
  expect(() => offers.comes('toy', 'a', { ...asked, consent: other })).toThrow(code('consent-outdated'));
  expect(offers.of('toy')).toEqual([]);
  expect(() => offers.comes('toy', 'a', { ...asked, recipe: other })).toThrow(code('report-mismatch'));
  refused.add(`a ${taskPlace('toy')}`);
  expect(() => offers.comes('toy', 'a', asked)).toThrow(code('run-not-admitted'));
});

it('tells each participant once that what is asked has changed, and asks it no more', () => {
  const { offers, told, refused } = world();
  offers.asks('toy', asked);
  for (const participant of ['a', 'b']) offers.comes('toy', participant, asked);
  refused.add(`b ${taskPlace('toy')}`);
  expect(offers.of('toy')).toEqual(['a']);
  offers.asks('toy', { ...asked, consent: other });
  offers.asks('toy', { ...asked, consent: other });
  expect(told).toEqual([
    ['a', 'toy', 'consent-outdated'],
    ['b', 'toy', 'consent-outdated'],
  ]);
  expect(offers.of('toy')).toEqual([]);
});

it('gives each offer a ticket, which holds as long as the offer, for its participant and task', () => {
  const { offers, refused } = world();
  offers.asks('toy', asked);
  const [first, second] = [offers.comes('toy', 'a', asked), offers.comes('toy', 'b', asked)];
  const holds = (participant: string, ticket: string, task = 'toy') =>
    offers.holds(task, { participant, ticket });
  expect([holds('a', first), holds('b', second)]).toEqual([true, true]);
  expect([holds('b', first), holds('a', second), holds('c', first), holds('a', first, 'other')]).toEqual([
    false,
    false,
    false,
    false,
  ]);
  const again = offers.comes('toy', 'a', asked);
  expect([holds('a', first), holds('a', again)]).toEqual([false, true]);
  refused.add(`b ${taskPlace('toy')}`);
  expect(holds('b', second)).toBe(false);
  offers.goes('a');
  expect(holds('a', again)).toBe(false);
  const last = offers.comes('toy', 'a', asked);
  offers.asks('toy', { ...asked, consent: other });
  expect(holds('a', last)).toBe(false);
});

it('takes offers for so many tasks of a connection and no more, and has room again for each that is over', () => {
  const { offers } = world();
  const tasks = Array.from({ length: MAX_MONITORED_TASKS }, (_, n) => `toy-${n}`);
  for (const task of tasks) offers.comes(task, 'a', asked);
  // The same again is no other one.
  offers.comes('toy-0', 'a', asked);
  expect(() => offers.comes('toy', 'a', asked)).toThrow(code('message-invalid'));
  offers.comes('toy', 'b', asked);
  for (const task of [...tasks, 'toy']) offers.asks(task, asked);
  expect(tasks.flatMap((task) => offers.of(task))).toEqual(tasks.map(() => 'a'));
  expect(offers.of('toy')).toEqual(['b']);
  offers.asks('toy-3', { ...asked, recipe: other });
  offers.comes('toy', 'a', asked);
  expect(() => offers.comes('toys', 'a', asked)).toThrow(code('message-invalid'));
  offers.goes('a');
  expect(tasks.flatMap((task) => offers.of(task))).toEqual([]);
  offers.comes('toys', 'a', asked);
});
