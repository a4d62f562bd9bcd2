import { cuttingProxy } from './cutting-proxy.ts';
import { type HonestWorld, honestWorld } from './honest-world.ts';
import { type Harm, type LossyProxy, type Lost, lossyProxy } from './lossy-proxy.ts';

export const SIZE = { participants: 4, rounds: 2 };

export interface Told {
  /** Checkpoints of the committed rounds, each verified by recomputing it from the accepted updates. */
  readonly checkpoints: readonly string[];
  /** True where every participant counted in every committed round: then the model equals that of a run without faults. */
  readonly everybody: boolean;
}

/** @returns the checkpoints of a run without faults. */
export async function undisturbed(): Promise<readonly string[]> {
  const world = await honestWorld({ ...SIZE, least: SIZE.participants });
  try {
    const { checkpoints } = await outcome(world);
    return checkpoints;
  } finally {
    await world.close();
  }
}

/** Runs with participants behind a lossy proxy. @param least participants that a round needs to begin. */
export async function throughMessages(
  seed: string | number,
  harm: Harm,
  { least, lost = null }: { least: number; lost?: Lost | null },
): Promise<Told & { counts: LossyProxy['counts'] }> {
  const opened: LossyProxy[] = [];
  const world = await honestWorld({ ...SIZE, least }, async (url) => {
    const proxy = await lossyProxy(url, { seed, harm, lost });
    opened.push(proxy);
    return proxy.url;
  });
  const proxy = opened[0] as LossyProxy;
  try {
    return { ...(await outcome(world)), counts: proxy.counts };
  } finally {
    await world.close();
    await proxy.close();
  }
}

/** Runs with connections that are cut again and again, at any byte. */
export async function throughBytes(seed: string | number): Promise<Told & { cuts: number }> {
  const opened: Awaited<ReturnType<typeof cuttingProxy>>[] = [];
  const world = await honestWorld({ ...SIZE, least: SIZE.participants }, async (url) => {
    const proxy = await cuttingProxy(Number(new URL(url).port), seed, { least: 2000, most: 12_000 });
    opened.push(proxy);
    return proxy.url;
  });
  try {
    return { ...(await outcome(world)), cuts: opened[0]?.cuts ?? 0 };
  } finally {
    await world.close();
    for (const proxy of opened) await proxy.close();
  }
}

async function outcome(world: HonestWorld): Promise<Told> {
  await world.over();
  const rounds = await world.rounds();
  const committed = rounds.filter(({ outcome: how }) => how === 'committed');
  return {
    checkpoints: await world.check(),
    everybody: committed.every(({ accepted }) => accepted === SIZE.participants),
  };
}
