import { ExactAccumulator, payloadValues, toFloat32 } from '@coppice/federation';
import type { Session } from '@coppice/participant';
import { type Codec, FRAME_HEADER_BYTES, frameKinds, payloadBytes } from '@coppice/protocol';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchBrowser, type Person, person } from '../browser/launch.ts';
import {
  accepted,
  addPictures,
  consentAndStart,
  dataCount,
  draw,
  keptExamples,
  waitForAccepted,
} from './client-page.ts';
import { digitFiles, strokes } from './pictures.ts';
import { findExamples, type Recorder, record } from './recorder.ts';
import { ADMIN_KEY, headless, startWorld, type World } from './world.ts';

/*
 * The main job, as people meet it: an admin launches a run; two browsers with pictures of their own
 * and two headless clients train it together; a third joins late; one goes away in the middle.
 */
let world: World;
let browser: Browser;
let wire: Recorder;
let sessions: Session[] = [];
const people: Person[] = [];

beforeAll(async () => {
  world = await startWorld();
  wire = await record(world.url);
  browser = await launchBrowser();
});

afterAll(async () => {
  for (const session of sessions) session.close();
  await browser?.close();
  await wire?.close();
  await world?.close();
});

async function arrive(url = wire.url): Promise<Person> {
  const someone = await person(browser);
  people.push(someone);
  await someone.page.goto(`${url}/`);
  return someone;
}

const run = () => world.coordinator.runs.all()[0] ?? fail('no run');
const fail = (why: string): never => {
  throw new Error(why);
};

/** Resolves when the coordinator has committed so many rounds. */
function committed(rounds: number): Promise<void> {
  return new Promise((resolve) => {
    if (run().round >= rounds) return resolve();
    const stop = world.coordinator.runs.subscribe({
      runChanged: () => {},
      participantsChanged: () => {},
      roundChanged: () => {
        if (run().round < rounds) return;
        stop();
        resolve();
      },
    });
  });
}

async function drawUntil(
  page: Person['page'],
  points: readonly (readonly [number, number])[],
  wanted: string,
): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    await page.getByTestId('predict-clear').click();
    await draw(page, 'predict-canvas', points);
    const said = page.waitForFunction(
      ([digit]) =>
        document.querySelector('[data-testid="prediction-after"]')?.textContent?.includes(digit as string),
      [wanted],
      { timeout: 15_000 },
    );
    try {
      await said;
      return;
    } catch (thrown) {
      if (attempt === 8) throw thrown;
    }
  }
}

describe('browsers and headless clients train one model together', () => {
  let admin: Person;
  let first: Person;
  let second: Person;

  it('an admin signs in with the printed link and launches a run on the admin page', async () => {
    admin = await person(browser);
    await admin.page.goto(world.coordinator.admin);
    expect(world.coordinator.adminKey).toBe(ADMIN_KEY);
    await admin.page.getByTestId('launch').first().click();
    expect(admin.page.url()).not.toContain(ADMIN_KEY);
    await admin.page.getByTestId('task-mnist-2nn').click();
    for (const [field, value] of Object.entries({
      rounds: '400',
      minParticipants: '4',
      overSelection: '1',
      quorum: '0.4',
      graceSeconds: '1',
      learningRate: '0.1',
    })) {
      await admin.page.getByTestId(`plan-${field}`).fill(value);
    }
    await admin.page.getByTestId('create-run').click();
    await admin.page.getByTestId('run-status').first().waitFor();
    expect(run()).toMatchObject({
      task: 'mnist-2nn',
      status: 'running',
      plan: { minParticipants: 4, rounds: 400 },
    });
  });

  it('two people add pictures of their own, agree, and begin; nothing is joined before', async () => {
    first = await arrive();
    second = await arrive();
    for (const digit of [0, 1, 2, 3, 4]) await addPictures(first.page, digit, await digitFiles(digit, 12));
    for (const digit of [5, 6, 7, 8, 9]) await addPictures(second.page, digit, await digitFiles(digit, 12));
    expect(await dataCount(first.page)).toBe(60);
    expect(run().participants).toBe(0);
    await consentAndStart(first.page);
    await consentAndStart(second.page);
    sessions = await headless(world.url, run().id, { count: 2, examples: 600 });
  });

  it('accuracy rises through three rounds, in which every one of them takes part', async () => {
    await committed(3);
    const rounds = await world.coordinator.storage.rounds(run().id);
    const done = rounds.filter((round) => round.outcome === 'committed');
    expect(done[0]?.cohort).toHaveLength(4);
    expect(done.slice(0, 3).every((round) => round.accepted >= 2)).toBe(true);
    const checkpoints = await world.coordinator.storage.checkpoints(run().id);
    const before = checkpoints.at(-1)?.central?.accuracy ?? 1;
    const after = run().central?.accuracy ?? 0;
    expect(after).toBeGreaterThan(before + 0.3);
    await waitForAccepted(first.page, 1);
    await waitForAccepted(second.page, 1);
    expect(await first.page.getByTestId('backend').first().textContent()).toMatch(
      /webgl|webassembly|javascript/i,
    );
  });

  it('the admin page shows it live', async () => {
    await admin.page.waitForFunction(
      () => Number(document.querySelector('[data-testid="run-round"]')?.textContent?.match(/\d+/)?.[0]) >= 3,
    );
    expect(
      await admin.page.getByTestId('participants-table').getByRole('row').count(),
    ).toBeGreaterThanOrEqual(4);
    await admin.page.getByTestId('accuracy-chart').first().waitFor();
  });

  it('a third joins in the middle', async () => {
    const third = await arrive();
    for (const digit of [0, 7]) await addPictures(third.page, digit, await digitFiles(digit, 10, 40));
    await consentAndStart(third.page);
    await waitForAccepted(third.page, 1);
  });

  it('one closes its tab in the middle of a round, and rounds still end', async () => {
    const third = people.at(-1) as Person;
    const { round } = run();
    await third.context.close();
    await committed(round + 3);
    expect((await world.coordinator.storage.rounds(run().id)).at(-1)?.outcome).toBe('committed');
  });

  it('the model recognises a drawn digit, better than before training', async () => {
    await committed(12);
    const { page } = first;
    for (const digit of [0, 1, 7]) {
      // Who sees another digit draws again: something may have come above the paper meanwhile, and moved it.
      await drawUntil(page, strokes[digit] as (readonly [number, number])[], String(digit));
    }
  });

  it('a reload keeps the data, and goes on without a click', async () => {
    const before = await dataCount(first.page);
    expect(before).toBe(60);
    await first.page.reload();
    await first.page.waitForFunction(() =>
      document.querySelector('[data-testid="data-count"]')?.textContent?.includes('60'),
    );
    await waitForAccepted(first.page, 1);
    // What follows about the wire is true with the service worker in between, too.
    expect(await first.page.evaluate(() => navigator.serviceWorker.controller?.scriptURL)).toBe(
      `${wire.url}/sw.js`,
    );
  });

  it('the admin stops it, and both pages say so', async () => {
    await admin.page.getByTestId('stop').first().click();
    await admin.page.getByTestId('confirm').click();
    await admin.page.waitForFunction(() =>
      /stopped/i.test(document.querySelector('[data-testid="run-status"]')?.textContent ?? ''),
    );
    for (const { page } of [first, second]) {
      await page.locator('[data-testid="status"][data-activity="ended"]').waitFor();
    }
  });

  it('sends none of its examples, in any form', async () => {
    const kept = [...(await keptExamples(first.page)), ...(await keptExamples(second.page))];
    const examples = kept.map((pixels) => Uint8Array.from(pixels));
    expect(examples).toHaveLength(120);
    const sent = wire.sent();
    // Enough was sent for the search to mean something, and the search finds what is there.
    expect(sent.length).toBeGreaterThan(3 * 199_210 * 4);
    const [planted] = examples as [Uint8Array];
    const scaled = Buffer.from(Float32Array.from(planted, (pixel) => pixel / 255).buffer);
    const everything = Buffer.concat([sent, Buffer.from(planted), scaled]);
    expect(findExamples(everything, examples)).toEqual([
      { example: 0, form: 'bytes' },
      { example: 0, form: 'float32' },
    ]);
    expect(findExamples(sent, examples)).toEqual([]);
  });

  it('pages meet no uncaught error', async () => {
    for (const { problems } of [admin, first, second]) expect(problems).toEqual([]);
    expect(await accepted(second.page)).toBeGreaterThan(0);
  });
});

describe('a browser in a cohort', () => {
  it.each(['float32', 'int4'] as const)(
    'makes, with headless clients, bit for bit the model that the same updates make in the aggregation alone: %s',
    async (codec) => {
      const { tapped, model } = await tapRound(world, codec, arrive);
      const sum = new ExactAccumulator(model.before.length);
      for (const { values, examples } of tapped) sum.add(values, examples);
      const mean = sum.mean();
      const expected = Float32Array.from(model.before, (weight, i) => weight + (mean[i] as number));
      expect(tapped).toHaveLength(3);
      expect(Buffer.from(model.after.buffer).equals(Buffer.from(expected.buffer))).toBe(true);
    },
  );
});

/** One round of a browser and two headless clients, with the updates read off the wire. */
async function tapRound(at: World, codec: 'float32' | 'int4', come: (url: string) => Promise<Person>) {
  const created = await at.coordinator.runs.create(
    'mnist-2nn',
    { rounds: 1, minParticipants: 3, overSelection: 1, quorum: 1, uploadCodec: codec, downloadCodec: codec },
    false,
  );
  // Everyone goes through this recorder, so that all updates are in it.
  const tap = await record(at.url);
  const someone = await come(tap.url);
  await someone.page.goto(`${tap.url}/?run=${created.id}`);
  await addPictures(someone.page, 3, await digitFiles(3, 20, 60));
  await consentAndStart(someone.page);
  const clients = await headless(tap.url, created.id, { count: 2, examples: 60 });
  await at.coordinator.runs.act(created.id, 'start');
  await new Promise<void>((resolve) => {
    const stop = at.coordinator.runs.subscribe({
      runChanged: () => {
        if (at.coordinator.runs.get(created.id).status !== 'finished') return;
        stop();
        resolve();
      },
      participantsChanged: () => {},
      roundChanged: () => {},
    });
  });
  const [after, before] = await at.coordinator.storage.checkpoints(created.id);
  const weights = await Promise.all(
    [before, after].map((one) => at.coordinator.storage.weights(one?.hash ?? '')),
  );
  const tapped = updatesIn(tap.sent(), codec, weights[0]?.length ?? 0);
  for (const client of clients) client.close();
  await tap.close();
  return { tapped, model: { before: weights[0] as Float32Array, after: weights[1] as Float32Array } };
}

/** Changes of a model in a recording: their values, and the weight in the message that announced them. */
function updatesIn(
  sent: Buffer,
  codec: Codec,
  parameters: number,
): { values: Float32Array; examples: number }[] {
  const updates: { values: Float32Array; examples: number }[] = [];
  const size = { parameters, trainable: parameters };
  const layout = [{ name: 'all', shape: [parameters], trainable: true }];
  const magic = Buffer.from('CPF1');
  for (let at = sent.indexOf(magic); at >= 0; at = sent.indexOf(magic, at + 4)) {
    // The measures follow the change; the answer to a question to measure has nothing else.
    if (sent[at + 5] !== frameKinds.contribution || sent.readUInt32LE(at + 24) < parameters) continue;
    const from = at + FRAME_HEADER_BYTES;
    const payload = Uint8Array.from(sent.subarray(from, from + payloadBytes(codec, size)));
    const announced = sent.lastIndexOf('["answer",', at);
    const examples = Number(/"weight":(\d+)/.exec(sent.subarray(announced, at).toString('latin1'))?.[1]);
    updates.push({ values: toFloat32(payloadValues({ codec, payload }, layout)), examples });
  }
  return updates;
}
