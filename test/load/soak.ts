import type { Run } from '@coppice/protocol';
import { io } from 'socket.io-client';
import { CoordinatorProcess, ParticipantProcesses } from './processes.ts';

export interface SoakOptions {
  readonly participants: number;
  readonly rounds: number;
  /** Rounds before the first memory sample. */
  readonly warmUp: number;
  /** Rounds between two samples. */
  readonly every: number;
  readonly task: string;
}

/** Bytes, right after a garbage collection. */
export interface MemorySample {
  readonly round: number;
  readonly heap: number;
  readonly external: number;
  readonly resident: number;
}

/** Runs rounds one after another, with an admin's page open, and samples memory in between. */
export async function soak(options: SoakOptions): Promise<MemorySample[]> {
  const coordinator = await CoordinatorProcess.start();
  const participants = new ParticipantProcesses(1);
  const admin = io(`${coordinator.url}/admin`, { transports: ['websocket'], auth: { key: coordinator.key } });
  try {
    const { participants: count, rounds, warmUp, every } = options;
    const run = await coordinator.post<Run>('/api/runs', {
      task: options.task,
      start: false,
      plan: { rounds: rounds + 1, minParticipants: count, overSelection: 1, quorum: 1, deadlineSeconds: 600 },
    });
    participants.connect({
      url: coordinator.url,
      run: run.id,
      name: 'soak',
      count,
      atOnce: 20,
      eager: true,
    });
    await participants.until(({ joined }) => joined === count);
    const samples: MemorySample[] = [];
    for (let done = 0; done < rounds; ) {
      const until = Math.min(rounds, done + every);
      await coordinator.post(`/api/runs/${run.id}/${done === 0 ? 'start' : 'resume'}`);
      // The last round of the stretch has begun: it ends, and none follows until it is asked for.
      await participants.until(({ asked }) => asked > (until - 1) * count);
      await coordinator.post(`/api/runs/${run.id}/pause`);
      await participants.until(({ asked, ended }) => asked >= until * count && ended === asked);
      done = participants.counts.ended / count;
      const { heap, external, resident } = await coordinator.usage({ collectGarbage: true });
      if (done >= warmUp) samples.push({ round: done, heap, external, resident });
    }
    return samples;
  } finally {
    admin.disconnect();
    await participants.close();
    await coordinator.close();
  }
}

/** Growth a round, by a least-squares line through the samples. */
export function growth(samples: readonly MemorySample[], of: keyof MemorySample): number {
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const round = mean(samples.map((sample) => sample.round));
  const value = mean(samples.map((sample) => sample[of]));
  let both = 0;
  let squares = 0;
  for (const sample of samples) {
    both += (sample.round - round) * (sample[of] - value);
    squares += (sample.round - round) ** 2;
  }
  return both / squares;
}
