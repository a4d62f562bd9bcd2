import { cuttingProxy } from './cutting-proxy.ts';
import { type HonestWorld, honestWorld } from './honest-world.ts';
import { type Harm, type LossyProxy, type Lost, lossyProxy } from './lossy-proxy.ts';

export const SIZE = { participants: 4, rounds: 2 };

export interface Told {
  /** Of the committed rounds, each held against the arithmetic of what was accepted in it. */
  readonly checkpoints: readonly string[];
  /** Whether everybody was counted in every committed round: then the model is that of a run without faults. */
  readonly everybody: boolean;
}

/** @returns the checkpoints of a run that nothing stands in the way of. */
export async function undisturbed(): Promise<readonly string[]> {
  const world = await honestWorld({ ...SIZE, least: SIZE.participants });
  try {
    const { checkpoints } = await outcome(world);
    return checkpoints;
  } finally {
    await world.close();
  }
}

/** A run whose participants call a lossy proxy. @param least without so many, no round begins. */
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

/** A run whose connections are cut again and again, wherever in a message that is. */
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
