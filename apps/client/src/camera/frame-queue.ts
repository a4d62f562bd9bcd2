/** A frame whose memory can be released. */
interface Closable {
  close(): void;
}

interface FrameQueueOptions<F> {
  /** Stores frames of one class; resolves to true on success. The callee owns the frames. */
  readonly keep: (frames: readonly F[], label: number) => Promise<boolean>;
  /** Called with the number of waiting frames by class. */
  readonly waiting: (counts: ReadonlyMap<number, number>) => void;
}

/** The most waiting frames: the worker may be busy with training, and more would fill a phone's memory. */
const MOST = 24;

/**
 * A queue between a camera and storage, each with a pace of its own: frames that arrive while others are stored are
 * stored together afterwards, class by class, in order.
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
      // After a failure, storing is not tried again with every further frame.
      if (!kept) discard();
      else tell();
    }
  };

  return {
    /** Takes ownership of a frame; returns `false` where it was dropped because the queue is full. */
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
