import type { Join } from '@coppice/protocol';
import { expect, it } from 'vitest';
import { GONE_THAT_DELIVERED, GONE_WITHOUT_A_TRACE, Members } from './members.ts';

const join: Join = {
  run: 'toy-1',
  device: 'headless',
  backend: 'cpu',
  examples: 1,
  speed: null,
  paused: false,
};
const nobody = () => false;
const count = (members: Members) => [...members.all()].length;

it('remembers so many that came for nothing, and the last of them', () => {
  const members = new Members();
  for (let n = 0; n < 10 * GONE_WITHOUT_A_TRACE; n++) {
    members.join(`guest ${n}`, join, n);
    members.went(`guest ${n}`, n % 2 === 0 ? 'left' : 'away', n, nobody);
  }
  expect(count(members)).toBe(GONE_WITHOUT_A_TRACE);
  expect(members.get('guest 0')).toBeUndefined();
  expect(members.get(`guest ${10 * GONE_WITHOUT_A_TRACE - 1}`)).toMatchObject({ presence: 'away' });
});

it('keeps those who delivered apart from those who did not: guests push nobody out', () => {
  const members = new Members();
  members.join('worker', join, 0).roundsDelivered = 3;
  members.went('worker', 'away', 0, nobody);
  for (let n = 0; n < 2 * GONE_WITHOUT_A_TRACE; n++) {
    members.join(`guest ${n}`, join, n);
    members.went(`guest ${n}`, 'left', n, nobody);
  }
  expect(members.join('worker', join, 1).roundsDelivered).toBe(3);
});

it('remembers so many that delivered', () => {
  const members = new Members();
  for (let n = 0; n <= GONE_THAT_DELIVERED; n++) {
    members.join(`worker ${n}`, join, n).roundsDelivered = 1;
    members.went(`worker ${n}`, 'away', n, nobody);
  }
  expect(count(members)).toBe(GONE_THAT_DELIVERED);
});

it('forgets nobody who is here, came back, or is in the open round', () => {
  const members = new Members();
  const cohort = new Set(['asked 0', 'asked 1']);
  members.join('here', join, 0);
  for (const id of cohort) {
    members.join(id, join, 0);
    members.went(id, 'away', 0, (one) => cohort.has(one));
  }
  members.join('back', join, 0);
  members.went('back', 'away', 0, nobody);
  members.returned('back');
  for (let n = 0; n < 2 * GONE_WITHOUT_A_TRACE; n++) {
    members.join(`guest ${n}`, join, n);
    members.went(`guest ${n}`, 'left', n, (id) => cohort.has(id));
  }
  for (const id of ['here', 'back', ...cohort]) expect(members.get(id), id).toBeDefined();
  expect(members.here()).toEqual(['here', 'back']);
  // The round is over: they go like everybody else.
  for (const id of ['a', 'b', 'c']) {
    members.join(id, join, 0);
    members.went(id, 'left', 0, nobody);
  }
  expect(members.get('asked 0')).toBeUndefined();
  expect(count(members)).toBe(GONE_WITHOUT_A_TRACE + 2);
});

it('brings nobody back who left, but by joining', () => {
  const members = new Members();
  members.join('gone', join, 0);
  members.went('gone', 'left', 0, nobody);
  members.returned('gone');
  expect(members.here()).toEqual([]);
  members.join('gone', join, 1);
  expect(members.here()).toEqual(['gone']);
});

it('counts for a strategy those that can be asked, and those that delivered and have not left', () => {
  const members = new Members();
  members.join('available', join, 0);
  members.join('without examples', { ...join, examples: 0 }, 0);
  members.join('paused', { ...join, paused: true }, 0);
  members.join('came and went', join, 0);
  members.went('came and went', 'away', 1, nobody);
  expect(members.joinedCount).toBe(1);
  for (const id of ['paused', 'came and went'])
    (members.get(id) as { roundsDelivered: number }).roundsDelivered = 1;
  expect(members.joinedCount).toBe(3);
  members.went('paused', 'left', 2, nobody);
  expect(members.joinedCount).toBe(2);
});
