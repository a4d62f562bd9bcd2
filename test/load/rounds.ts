import { setTimeout as wait } from 'node:timers/promises';
import type { Round, Run } from '@coppice/protocol';
import { io } from 'socket.io-client';
import type { Usage } from './messages.ts';
import { CoordinatorProcess, ParticipantProcesses } from './processes.ts';

export interface LoadOptions {
  readonly participants: number;
  readonly cohort: number;
  readonly rounds: number;
  /** Rounds before the measured ones. */
  readonly warmUp: number;
  /** Milliseconds with all connections idle. */
  readonly idle: number;
  readonly task: string;
  readonly execArgv: readonly string[];
}

/** Milliseconds; bytes. */
export interface RoundFigures {
  readonly wall: number;
  readonly distributing: number;
  readonly collecting: number;
  readonly applying: number;
  /** CPU time of the coordinator with all its threads, and of all participants. */
  readonly cpu: number;
  readonly participantsCpu: number;
  readonly bytesUp: number;
  readonly bytesDown: number;
}

export interface LoadFigures {
  readonly connecting: { readonly wall: number; readonly cpu: number; readonly participantsCpu: number };
  /** Share of one core that 5,000 idle connections cost. */
  readonly idleCpu: number;
  readonly rounds: readonly RoundFigures[];
  /** Before the first connection, with all of them, and at the end. */
  readonly empty: Usage;
  readonly connected: Usage;
  readonly end: Usage;
  /** Bytes of JSON to an admin page that was open all the time. */
  readonly adminMessages: number;
}

/**
 * Measures a load test: all participants connect and join; rounds of a part of them follow, one at a time: weights go
 * out to the whole cohort, then all updates arrive at once. An admin's socket watches all the time.
 */
export async function measureLoad(options: LoadOptions, say: (line: string) => void): Promise<LoadFigures> {
  const { participants: count, cohort } = options;
  const coordinator = await CoordinatorProcess.start(options.execArgv);
  const participants = new ParticipantProcesses(2);
  const run = await coordinator.post<Run>('/api/runs', {
    task: options.task,
    start: false,
    plan: {
      rounds: options.warmUp + options.rounds + 1,
      minParticipants: count,
      cohortSize: cohort,
      overSelection: 1,
      quorum: 1,
      deadlineSeconds: 600,
    },
  });
  let adminMessages = 0;
  const admin = io(`${coordinator.url}/admin`, { transports: ['websocket'], auth: { key: coordinator.key } });
  admin.onAny(() => adminMessages++);
  await new Promise<void>((resolve) => admin.once('snapshot', () => resolve()));
  const empty = await coordinator.usage({ collectGarbage: true });

  await coordinator.phase('connecting');
  let began = performance.now();
  participants.connect({
    url: coordinator.url,
    run: run.id,
    name: 'load',
    count,
    atOnce: 100,
    eager: false,
  });
  await participants.until(({ joined }) => joined === count);
  const connecting = {
    wall: performance.now() - began,
    cpu: (await coordinator.usage()).cpu - empty.cpu,
    participantsCpu: await participants.cpu(),
  };
  say(`${count} joined in ${(connecting.wall / 1000).toFixed(1)} s`);

  // By now the messages caused by the last one have been sent.
  await wait(2000);
  const connected = await coordinator.usage({ collectGarbage: true });
  await coordinator.phase('idle');
  await wait(options.idle);
  const idleCpu = ((await coordinator.usage()).cpu - connected.cpu) / options.idle;

  const rounds: RoundFigures[] = [];
  for (let round = 1; round <= options.warmUp + options.rounds; round++) {
    const warm = round > options.warmUp;
    await coordinator.phase(warm ? 'distributing' : 'warming up');
    const before = participants.counts;
    const cpu = (await coordinator.usage()).cpu;
    const participantsCpu = await participants.cpu();
    began = performance.now();
    await coordinator.post(`/api/runs/${run.id}/${round === 1 ? 'start' : 'resume'}`);
    await participants.until(({ asked }) => asked === before.asked + cohort);
    const distributed = performance.now();
    // The round goes on; the next waits until it is asked for.
    await coordinator.post(`/api/runs/${run.id}/pause`);
    if (warm) await coordinator.phase('collecting');
    const delivering = performance.now();
    participants.deliver();
    await participants.until(({ acknowledged }) => acknowledged === before.acknowledged + cohort);
    const collected = performance.now();
    await participants.until(({ ended }) => ended === before.ended + count);
    const ended = performance.now();
    if (warm) await coordinator.phase('between rounds');
    const after = (await coordinator.usage()).cpu;
    const [record] = (await coordinator.get<Round[]>(`/api/runs/${run.id}/rounds`)).slice(-1);
    if (record?.outcome !== 'committed' || record.accepted !== cohort)
      throw new Error(
        `round ${round} was not what it should be: ${record?.outcome}, ${record?.accepted} accepted`,
      );
    const figures: RoundFigures = {
      wall: ended - began,
      distributing: distributed - began,
      collecting: collected - delivering,
      applying: Math.max(0, ended - collected),
      cpu: after - cpu,
      participantsCpu: (await participants.cpu()) - participantsCpu,
      bytesUp: record.bytesUp,
      bytesDown: record.bytesDown,
    };
    if (warm) rounds.push(figures);
    say(
      `round ${round}: ${figures.wall.toFixed(0)} ms (out ${figures.distributing.toFixed(0)}, in ${figures.collecting.toFixed(0)}, end ${figures.applying.toFixed(0)}), CPU ${figures.cpu.toFixed(0)} ms, participants' ${figures.participantsCpu.toFixed(0)} ms`,
    );
  }
  await coordinator.phase('ending');
  const end = await coordinator.usage({ collectGarbage: true });
  admin.disconnect();
  await participants.close();
  await coordinator.close();
  return { connecting, idleCpu, rounds, empty, connected, end, adminMessages };
}
