import { ManualClock } from '@coppice/ports';
import { CoppiceError, isErrorCode } from '@coppice/protocol';
import { anyBytes, damaged } from '@coppice/protocol/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FakeCoordinator, iris } from './coordinator.testing.ts';
import { Releases } from './releases.ts';
import { Requests, waitOf } from './requests.ts';

/** Releases at a server that answers everything with the same bytes. */
function releasesOf(bytes: Uint8Array<ArrayBuffer>, status: number): Releases {
  return new Releases(
    { url: 'https://coppice.example', task: 'iris', channel: 'production' },
    new Requests({
      request: () => Promise.resolve(new Response(bytes, { status })),
      clock: new ManualClock(),
      signal: new AbortController().signal,
    }),
    () => null,
  );
}

async function expectValueOrRefusal(reading: Promise<unknown>, whole: (value: never) => void): Promise<void> {
  try {
    whole((await reading) as never);
  } catch (thrown) {
    expect(thrown).toBeInstanceOf(CoppiceError);
    const { code } = thrown as CoppiceError;
    expect(isErrorCode(code) && code !== 'internal').toBe(true);
  }
}

describe('an answer', () => {
  const utf8 = (value: unknown) => Buffer.from(JSON.stringify(value));
  const bodies = fc.oneof(
    { weight: 3, arbitrary: damaged(utf8(new FakeCoordinator().description(1)), utf8(iris)) },
    anyBytes,
  );

  it('of any content is a description, a task, or refused by name', async () => {
    await fc.assert(
      fc.asyncProperty(bodies, async (bytes) => {
        const releases = releasesOf(new Uint8Array(bytes), 200);
        await expectValueOrRefusal(releases.named('fresh', null), (named: { hash: string }) =>
          expect(named.hash).toMatch(/^[0-9a-f]{64}$/),
        );
        await expectValueOrRefusal(releases.task('fresh'), (task: { data: { kind: string } }) =>
          expect(['image', 'table']).toContain(task.data.kind),
        );
      }),
      { numRuns: 500 },
    );
  });

  it('that is no success, of any content, is a refusal with a code', async () => {
    const error = utf8({ error: { code: 'run-not-admitted', message: 'Not open.' } });
    await fc.assert(
      fc.asyncProperty(fc.oneof(damaged(error), anyBytes), async (bytes) => {
        const thrown = await releasesOf(new Uint8Array(bytes), 403)
          .named('fresh', null)
          .catch((refusal: unknown) => refusal);
        // A refusal that says nothing, of a proxy, has no better code than `internal`.
        if (thrown !== null) expect(thrown).toBeInstanceOf(CoppiceError);
      }),
    );
  });
});

it('reads the time of Retry-After in seconds and as a date, and nothing else', () => {
  const now = Date.UTC(2026, 0, 1);
  expect(waitOf('120', now)).toBe(120_000);
  expect(waitOf('Thu, 01 Jan 2026 00:02:00 GMT', now)).toBe(120_000);
  expect(waitOf('Wed, 31 Dec 2025 00:00:00 GMT', now)).toBe(0);
  expect(waitOf('soon', now)).toBeNull();
  expect(waitOf(null, now)).toBeNull();
});
