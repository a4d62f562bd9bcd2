import { afterAll, beforeAll, expect, it } from 'vitest';
import { sendInPieces } from '../conformance/raw-participant.ts';
import { answerFrame, differences, LargeWorld, nameOfNext, weightsOf } from '../faults/large-world.ts';

/* A model of 120 MB: what a round costs in memory is a few models, however it travels. */
let world: LargeWorld;

beforeAll(async () => {
  world = await LargeWorld.begin(30_000);
});
afterAll(() => world.end());

it('a round of a model of more than a hundred megabytes is right to the bit', async () => {
  const run = await world.launch({
    minParticipants: 2,
    overSelection: 1,
    quorum: 1,
    rounds: 1,
    maxNorm: null,
  });
  const one = await world.join('one', run);
  const other = await world.join('other', run);
  const asked = await world.asked(one);
  const askedOther = await world.asked(other);
  const weights = await weightsOf(one.raw, asked);
  expect(weights.byteLength).toBeGreaterThan(100_000_000);
  const sent = [
    { delta: differences(weights.length, 1), examples: 5 },
    { delta: differences(weights.length, 2), examples: 7 },
  ] as const;
  for (const [i, { delta, examples }] of sent.entries()) {
    const [{ raw }, question] = i === 0 ? [one, asked] : [other, askedOther];
    const { answer, sent: pieces } = await sendInPieces(
      raw,
      { ...question.answer, weight: examples },
      answerFrame(question, delta, examples),
    );
    expect(answer).toEqual({ ok: true, value: { duplicate: false, next: null } });
    expect(pieces).toHaveLength(115);
  }
  expect((await one.raw.event('round-end')).message).toMatchObject({
    outcome: 'committed',
    accepted: 2,
    checkpoint: nameOfNext(weights, sent),
  });
  expect(world.parts()).toBe(0);
});
