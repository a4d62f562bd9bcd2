import { ManualClock } from '@coppice/ports';
import { defaultPlan, runTerms, type TableData, termsVersion } from '@coppice/protocol';
import { expect, it } from 'vitest';
import { Requests } from './requests.ts';
import { TermsOfRuns } from './run-terms.ts';

const flowers: TableData = {
  kind: 'table',
  features: [{ name: 'length', mean: 0, scale: 1, min: 0, max: 9 }],
  target: { kind: 'class', name: 'kind', classes: ['a', 'b'] },
};
const numbers = { parameters: 131, trainable: 131, frozen: 0 };

function start(runs: object[] = []) {
  const answers: Record<string, unknown> = {
    '/api/tasks': [
      { id: 'iris', ...numbers, data: flowers, plan: { ...defaultPlan, uploadCodec: 'int8' }, more: 1 },
    ],
    '/api/runs': runs,
    '/api/runs/iris-2/plan': { ...defaultPlan, rounds: 7, ofANewerVersion: 3 },
  };
  const request = async (address: string | URL | Request) =>
    Response.json(answers[new URL(String(address)).pathname]);
  const requests = new Requests({
    request: request as typeof fetch,
    clock: new ManualClock(),
    signal: new AbortController().signal,
  });
  return new TermsOfRuns('https://coppice.example', requests);
}

it('are those of the newest open run of the task', async () => {
  const terms = start([
    { id: 'iris-3', task: 'iris', status: 'finished' },
    { id: 'digits-1', task: 'digits', status: 'running' },
    { id: 'iris-2', task: 'iris', status: 'running', more: 1 },
  ]);
  const expected = runTerms(numbers, defaultPlan);
  expect(await terms.now('iris')).toEqual({ run: 'iris-2', terms: termsVersion(expected), ...expected });
  expect(await terms.versionOf('iris', 'iris-2')).toBe(termsVersion(expected));
});

it('are those of the task where no run of it is open', async () => {
  const { run, terms } = await start([{ id: 'iris-3', task: 'iris', status: 'stopped' }]).now('iris');
  expect(run).toBeNull();
  expect(terms).toBe(termsVersion(runTerms(numbers, { ...defaultPlan, uploadCodec: 'int8' })));
});

it('are not known of a task that is not there', async () => {
  await expect(start().now('digits')).rejects.toMatchObject({ code: 'task-unknown' });
});

it('state what leaves where participants agree on the scaling, in a version of its own', () => {
  const agreed = runTerms({ ...numbers, data: { ...flowers, scaling: 'agreed' } }, defaultPlan);
  expect(agreed.once?.en).toContain('the sum of its values');
  expect(termsVersion(agreed)).not.toBe(termsVersion(runTerms(numbers, defaultPlan)));
  expect(runTerms({ ...numbers, data: flowers }, defaultPlan)).toEqual(runTerms(numbers, defaultPlan));
});
