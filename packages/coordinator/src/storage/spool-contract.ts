import { type Answer, encodeFrame, float32Payload, frameBytes, weightsHash } from '@coppice/protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RoundOpening, Spool, SpooledAnswer } from './spool.ts';
import { type TaskOpening, taskOwner } from './task-opening.ts';

export const id = (n: number) => n.toString(16).padStart(32, '0');

export const openingOf = (run: string, round = 1, attempt = 1): RoundOpening => ({
  run,
  round,
  attempt,
  parent: weightsHash(Float32Array.of(round)),
  sizes: { asked: 3, target: 3, quorum: 2 },
  startedAt: 1_000,
  deadlineAt: 61_000,
  cohort: [id(3), id(1), id(2)],
  joined: 5,
  beyond: [],
  owed: [],
  weightCaps: [10, 20, 30],
  normBounds: { model: 2.5 },
});

export const taskOpeningOf = (
  task: string,
  kind: TaskOpening['kind'] = 'report',
  period = 7,
): TaskOpening => ({
  consent: 'ef'.repeat(32),
  noise: { seed: 'a seed of 128 bits or more', rho: 0.01, variance: 2.5e19 },
  task,
  kind,
  period,
  reference: 'ab'.repeat(32),
  layout: 'cd'.repeat(16),
  models: ['12'.repeat(32)],
  startedAt: 1_000,
  deadlineAt: 61_000,
});

/** A distinguishable answer with `size` parameters. */
export function spooled(n: number, size = 3): SpooledAnswer {
  const values = Float32Array.from({ length: size }, (_, at) => n + at / 8);
  const answer: Answer = {
    run: 'toy-1',
    ticket: `t1-1.${n}`,
    weight: n,
    milliseconds: 12.5,
    frame: encodeFrame({
      kind: 'contribution',
      codec: 'float32',
      layoutHash: new Uint8Array(16),
      parameters: size,
      payload: float32Payload(values),
    }),
  };
  return { participant: id(n), answer };
}

export async function restored(spool: Spool, owner: string) {
  const found = await spool.recover(owner);
  if (found === null) return null;
  const answers: SpooledAnswer[] = [];
  for await (const one of found.answers()) answers.push(one);
  return { opening: found.opening, damage: found.damage, answers };
}

/**
 * The contract of every `Spool`.
 *
 * @param reopen opens the spool again as another process would; one in memory returns itself.
 */
export function spoolContract(
  name: string,
  create: () => Promise<{ spool: Spool; reopen: (spool: Spool) => Promise<Spool>; end?: () => void }>,
): void {
  describe(`Spool: ${name}`, () => {
    let made: Awaited<ReturnType<typeof create>>;
    let spool: Spool;
    beforeEach(async () => {
      made = await create();
      spool = made.spool;
    });
    afterEach(async () => {
      await spool.close();
      made.end?.();
    });
    const again = async () => {
      spool = await made.reopen(spool);
    };

    it('knows no round where none was opened', async () => {
      expect(await spool.recover('toy-1')).toBeNull();
    });

    it('gives back what was appended, in order, to the process after', async () => {
      spool.open(openingOf('toy-1'));
      await Promise.all([spool.append('toy-1', spooled(2)), spool.append('toy-1', spooled(1, 50_000))]);
      await spool.append('toy-1', spooled(3));
      await again();
      expect(await restored(spool, 'toy-1')).toEqual({
        opening: openingOf('toy-1'),
        damage: null,
        answers: [spooled(2), spooled(1, 50_000), spooled(3)],
      });
    });

    it('goes on after what it gave back', async () => {
      spool.open(openingOf('toy-1'));
      await spool.append('toy-1', spooled(1));
      await again();
      await restored(spool, 'toy-1');
      await spool.append('toy-1', spooled(2));
      await again();
      expect((await restored(spool, 'toy-1'))?.answers).toEqual([spooled(1), spooled(2)]);
    });

    it('keeps runs apart', async () => {
      spool.open(openingOf('toy-1'));
      spool.open(openingOf('toy-2'));
      await Promise.all([spool.append('toy-2', spooled(2)), spool.append('toy-1', spooled(1))]);
      await spool.drop('toy-1');
      await again();
      expect(await restored(spool, 'toy-1')).toBeNull();
      expect((await restored(spool, 'toy-2'))?.answers).toEqual([spooled(2)]);
    });

    it('forgets a round that was dropped, and the round before when one is opened', async () => {
      spool.open(openingOf('toy-1'));
      await spool.append('toy-1', spooled(1));
      spool.open(openingOf('toy-1', 1, 2));
      await spool.append('toy-1', spooled(2));
      await again();
      expect(await restored(spool, 'toy-1')).toMatchObject({
        opening: { attempt: 2 },
        answers: [{ participant: id(2) }],
      });
      const dropped = spool.drop('toy-1');
      // Asked for before the drop is done: the order of the calls counts.
      spool.open(openingOf('toy-1', 2));
      await dropped;
      await spool.append('toy-1', spooled(3));
      await again();
      expect(await restored(spool, 'toy-1')).toMatchObject({
        opening: { round: 2 },
        answers: [{ participant: id(3) }],
      });
    });

    it('keeps rounds apart when they follow each other faster than the disk', async () => {
      spool.open(openingOf('toy-1', 1));
      const first = spool.append('toy-1', spooled(1, 100_000));
      const dropped = spool.drop('toy-1');
      spool.open(openingOf('toy-1', 2));
      await Promise.all([first, dropped, spool.append('toy-1', spooled(2))]);
      await again();
      expect(await restored(spool, 'toy-1')).toMatchObject({
        opening: { round: 2 },
        answers: [{ participant: id(2) }],
      });
    });

    it('takes a hundred at once', async () => {
      spool.open(openingOf('toy-1'));
      const all = Array.from({ length: 100 }, (_, n) => spooled(n + 1, 1_000));
      await Promise.all(all.map((one) => spool.append('toy-1', one)));
      expect(spool.waiting).toBe(0);
      await again();
      expect((await restored(spool, 'toy-1'))?.answers).toEqual(all);
    });

    it('keeps payloads that come in pieces, apart and out of the rounds', async () => {
      spool.open(openingOf('toy-1'));
      const [one, other] = await Promise.all([spool.receive(5), spool.receive(3)]);
      // Pieces may be written while others are.
      await Promise.all([
        one.write(Uint8Array.of(4, 5), 3),
        other.write(Uint8Array.of(7, 8, 9), 0),
        one.write(Uint8Array.of(1, 2, 3), 0),
      ]);
      const whole = new Uint8Array(5);
      await one.read(whole);
      expect([...whole]).toEqual([1, 2, 3, 4, 5]);
      await one.discard();
      await other.read(whole.subarray(1, 4));
      expect([...whole]).toEqual([1, 7, 8, 9, 5]);
      // Incoming pieces end with their process.
      await spool.append('toy-1', spooled(1));
      await again();
      expect((await restored(spool, 'toy-1'))?.answers).toEqual([spooled(1)]);
    });

    it('reads the frame of an answer in parts, also after a restart', async () => {
      spool.open(openingOf('toy-1'));
      const one = spooled(2, 1_000);
      await Promise.all([spool.append('toy-1', spooled(1)), spool.append('toy-1', one)]);
      const whole = frameBytes(one.answer.frame);
      const middle = async () => {
        const frame = spool.frame('toy-1', id(2));
        const part = new Uint8Array(100);
        await frame?.read(part, 50);
        return [frame?.byteLength, [...part]];
      };
      expect(await middle()).toEqual([whole.byteLength, [...whole.subarray(50, 150)]]);
      expect(spool.frame('toy-1', id(3))).toBeNull();
      await again();
      await restored(spool, 'toy-1');
      expect(await middle()).toEqual([whole.byteLength, [...whole.subarray(50, 150)]]);
    });

    it("keeps a task's exchanges apart, of each kind one, and from a run of the same name", async () => {
      const [report, statistics] = [taskOpeningOf('toy-1'), taskOpeningOf('toy-1', 'statistics', 1)];
      for (const opening of [report, statistics, openingOf('toy-1')]) spool.open(opening);
      await Promise.all([
        spool.append(taskOwner(report), spooled(1)),
        spool.append('toy-1', spooled(2)),
        spool.append(taskOwner(statistics), spooled(3)),
        spool.append(taskOwner(report), spooled(4)),
      ]);
      await again();
      expect(await restored(spool, taskOwner(report))).toEqual({
        opening: report,
        damage: null,
        answers: [spooled(1), spooled(4)],
      });
      expect(await restored(spool, taskOwner(statistics))).toMatchObject({
        opening: statistics,
        answers: [spooled(3)],
      });
      expect(await restored(spool, 'toy-1')).toMatchObject({
        opening: { round: 1 },
        answers: [{ participant: id(2) }],
      });
    });

    it("erases a task's answers with its exchange, and begins the next period without them", async () => {
      const first = taskOpeningOf('toy-1');
      const owner = taskOwner(first);
      spool.open(first);
      await spool.append(owner, spooled(1));
      await spool.drop(owner);
      expect(await spool.recover(owner)).toBeNull();
      const second = taskOpeningOf('toy-1', 'report', 8);
      spool.open(second);
      await spool.append(owner, spooled(2));
      await again();
      expect(await restored(spool, owner)).toMatchObject({ opening: second, answers: [spooled(2)] });
    });

    it('refuses an answer where no exchange is open', async () => {
      await expect(spool.append('toy-9', spooled(1))).rejects.toMatchObject({ code: 'storage-failed' });
    });
  });
}
