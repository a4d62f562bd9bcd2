import { expect } from 'vitest';
import type { Json } from '../conformance/raw-participant.ts';
import { type Asked, deliver, foretold, honest, type Someone, type World } from './world.ts';

/* Three honest participants and a fourth, in one round, and what must be true at its end. */

const PLAN = {
  minParticipants: 4,
  quorum: 0.5,
  overSelection: 1,
  rounds: 1,
  deadlineSeconds: 60,
  // Updates here are made up, and long: they count as they are.
  weightFactor: null,
  normFactor: null,
  graceSeconds: 5,
};
const NUMBERS = [1, 2, 3];

export interface Cohort {
  readonly run: string;
  readonly good: Someone[];
  readonly bad: Someone;
  /** The question to the fourth, and to the honest ones. */
  readonly asked: Asked;
}

let cases = 0;

/**
 * Starts a run with these changes of the plan, and its first round, in which four are asked. `badUrl`: the URL that the
 * fourth connects to.
 */
export async function beginRound(
  world: World,
  plan: Json = {},
  { badUrl = world.url } = {},
): Promise<Cohort> {
  const run = await world.launch({ ...PLAN, ...plan });
  const prefix = `case-${++cases}`;
  const good: Someone[] = [];
  for (const n of NUMBERS) good.push(await world.join(`${prefix}-good-${n}`, run));
  const bad = await world.join(`${prefix}-bad`, run, badUrl);
  const [asked] = await Promise.all([bad, ...good].map((one) => world.asked(one)));
  return { run, good, bad, asked: asked as Asked };
}

/** Delivers the honest answers; none of the replies may differ because of the fourth. */
export async function deliverAll({ good, asked }: Cohort): Promise<void> {
  for (const [i, one] of good.entries()) {
    expect(await deliver(one, asked, NUMBERS[i] as number)).toEqual({
      ok: true,
      value: { duplicate: false, next: null },
    });
  }
}

export const honestUpdates = (asked: Asked) => NUMBERS.map((n) => honest(asked, n));

/** Checks the final state of all honest participants. */
export async function expectRight(
  world: World,
  { run, good, asked }: Cohort,
  { updates = honestUpdates(asked), bad }: { updates?: ReturnType<typeof honestUpdates>; bad: string },
): Promise<void> {
  const checkpoint = foretold(asked, updates);
  for (const { raw } of good) {
    expect((await raw.event('round-end')).message).toMatchObject({
      run,
      round: asked.round,
      outcome: 'committed',
      checkpoint,
      accepted: updates.length,
      you: 'accepted',
    });
  }
  const rounds = await world.get<Json[]>(`/api/runs/${run}/rounds`);
  const { attempt } = asked;
  const round = rounds.find((one) => one['round'] === asked.round && one['attempt'] === attempt);
  expect(round).toMatchObject({ outcome: 'committed', checkpoint, accepted: updates.length });
  const cohort = round?.['cohort'] as { outcome: string }[];
  expect(cohort.map(({ outcome }) => outcome).toSorted()).toEqual(
    ['accepted', 'accepted', 'accepted', bad].toSorted(),
  );
}

/** Matches a refusal with a code. */
export const refusal = (code: string) =>
  expect.objectContaining({ ok: false, error: expect.objectContaining({ code }) });
