/** What a frame must be able to do: give its memory back. */
interface Closable {
  close(): void;
}

interface FrameQueueOptions<F> {
  /** Keeps frames of one class; whether that worked. They are the callee's from then on. */
  readonly keep: (frames: readonly F[], label: number) => Promise<boolean>;
  /** How many frames wait, by class. */
  readonly waiting: (counts: ReadonlyMap<number, number>) => void;
}

/** Frames wait for a worker that may be training; more than these would fill a phone's memory. */
const MOST = 24;

/**
 * Between a camera that gives frames at its own pace and storage that takes them at its own: those that
 * come while others are being kept are kept together afterwards, class by class, in order.
 */
export function frameQueue<F extends Closable>({ keep, waiting }: FrameQueueOptions<F>) {
  let frames: { frame: F; label: number }[] = [];
  let inHand: { count: number; label: number } | null = null;

  const tell = () => {
    const counts = new Map<number, number>();
    const count = (label: number, more: number) => counts.set(label, (counts.get(label) ?? 0) + more);
    if (inHand !== null) count(inHand.label, inHand.count);
    for (const { label } of frames) count(label, 1);
    waiting(counts);
  };
  const discard = () => {
    for (const { frame } of frames) frame.close();
    frames = [];
    tell();
  };
  const work = async () => {
    while (frames[0] !== undefined && inHand === null) {
      const { label } = frames[0];
      const others = frames.findIndex((one) => one.label !== label);
      const some = frames.splice(0, others < 0 ? frames.length : others);
      inHand = { count: some.length, label };
      tell();
      const kept = await keep(
        some.map(({ frame }) => frame),
        label,
      );
      inHand = null;
      // What could not be kept once is not tried with every further frame.
      if (!kept) discard();
      else tell();
    }
  };

  return {
    /** Takes a frame over; `false` where it was dropped since too many wait. */
    push(frame: F, label: number): boolean {
      if (frames.length + (inHand?.count ?? 0) >= MOST) {
        frame.close();
        return false;
      }
      frames.push({ frame, label });
      tell();
      void work();
      return true;
    },
    discard,
  };
}
