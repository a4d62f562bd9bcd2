import { encodeMeasures, tallyMeasures } from '@coppice/federation';
import {
  type Answer,
  CoppiceError,
  contributionHash,
  contributionSize,
  encodeFrame,
  float32Payload,
  type Plan,
  type Round,
} from '@coppice/protocol';
import { expect, it } from 'vitest';
import { Closing } from './closing.ts';
import { runParts } from './run-parts.testing.ts';

/** A finished run with two members, whose last round made the current model. */
function finished(plan: Partial<Plan> = {}) {
  const lastRound = { run: 'toy-1', round: 3, attempt: 1, target: 2, outcome: 'committed' } as Round;
  const parts = runParts(plan, { lastRound });
  const { state, options, log } = parts;
  for (const id of ['a', 'b']) parts.join(id);
  const closing = new Closing(state, log, options);
  /** A participant's measurements: four examples right. */
  const measured = (participant: string, examples: number): Answer => {
    const { evaluate } = state.forms.layouts;
    const held = tallyMeasures('held', {
      examples,
      loss: examples / 2,
      lossExamples: examples,
      hits: 4,
      classes: { examples: [examples, 0], hits: [4, 0] },
    });
    return {
      run: 'toy-1',
      ticket: state.tickets.issue(state.exchanges.closing?.name ?? 'none', participant),
      weight: 1,
      milliseconds: 0,
      frame: encodeFrame({
        kind: 'contribution',
        codec: 'float32',
        layoutHash: contributionHash(evaluate),
        parameters: contributionSize(evaluate),
        payload: float32Payload(encodeMeasures(evaluate, held)),
      }),
    };
  };
  const answer = (participant: string, examples = 4) =>
    state.exchanges.closing?.take(participant, measured(participant, examples));
  return { ...parts, closing, answer };
}

it('asks for the last measurements, and adds them to the last round before the run ends', async () => {
  const { closing, answer, state, messages, options, rounds, kinds, told } = finished();
  closing.begin();
  expect(kinds()).toEqual(['run-finished']);
  expect(messages('ask').map(({ to }) => to)).toHaveLength(2);
  expect(messages('run-end')).toEqual([]);
  await answer('a');
  expect(state.exchanges.closing).not.toBeNull();
  const before = told.run;
  await answer('b');
  await expect.poll(() => state.exchanges.closing).toBeNull();
  const federated = { loss: 0.5, accuracy: 1, examples: 8 };
  expect(state.lastRound).toMatchObject({ round: 3, federated });
  expect(await options.storage.rounds('toy-1')).toMatchObject([{ round: 3, federated }]);
  expect(rounds.at(-1)).toMatchObject({ federated });
  expect(messages('run-end')).toHaveLength(1);
  expect(told.run).toBe(before + 1);
});

it('ends at once where the plan asks nobody to measure', () => {
  const { closing, state, messages } = finished({ evaluationShare: 0 });
  closing.begin();
  expect(state.exchanges.closing).toBeNull();
  expect(messages('ask')).toEqual([]);
  expect(messages('run-end').map(({ to }) => to)).toEqual([['a', 'b']]);
});

it('ends the run where the measurements cannot be stored, too, and logs it', async () => {
  const { closing, answer, messages, options, kinds } = finished();
  options.storage.putMetrics = () => Promise.reject(new CoppiceError('storage-full', 'A full disk.'));
  closing.begin();
  await answer('a');
  await answer('b');
  await expect.poll(() => messages('run-end')).toHaveLength(1);
  expect(kinds()).toEqual(['run-finished', 'storage-failed']);
});

it('counts no more examples of a participant than it announced', async () => {
  const { closing, answer, state } = finished();
  closing.begin();
  // Each announced 1000; 100,000 with four hits are as 1000 of the same share.
  await answer('a', 100_000);
  await answer('b', 4);
  await expect.poll(() => state.exchanges.closing).toBeNull();
  const { federated } = state.lastRound ?? {};
  expect(federated?.examples).toBe(1004);
  expect(federated?.accuracy).toBeCloseTo((1000 * (4 / 100_000) + 4) / 1004, 12);
});
