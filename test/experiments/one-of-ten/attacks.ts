import { crc32 } from 'node:zlib';
import type { RawExamples } from '@coppice/datasets';
import type { Transport } from '@coppice/participant';
import {
  type Answer,
  type Ask,
  type Availability,
  defaultPlan,
  encodeFrame,
  FRAME_HEADER_BYTES,
  float32Payload,
  frameBytes,
  frameLayout,
  type Join,
  type Joined,
  modelSize,
  type Up,
  type UpName,
} from '@coppice/protocol';

/** One participant's attack: on its data, on its claims, or on its change. */
export interface Attack {
  readonly title: string;
  /** Manipulates its training examples; left out, they stay unchanged. */
  readonly data?: (own: RawExamples) => RawExamples;
  /** The number of examples that it announces, and claims as far as the plan allows; left out, the true one. */
  readonly claims?: number;
  /** Factor of its change in a round; left out, 1. */
  readonly factor?: (round: number, rounds: number) => number;
  /** True where the limits must bound its effect on IID data. */
  readonly bounded: boolean;
  /** True to measure it on non-IID data, too. */
  readonly nonIid: boolean;
  /** True to measure it without limits, too. */
  readonly compared: boolean;
}

/** Number of examples that a liar announces. */
const CLAIMED = 1e9;
/** The label that the backdoor gives to stamped pictures. */
export const TARGET = 7;
const WIDTH = 28;
const STAMP = 3;

const flipLabels = (own: RawExamples): RawExamples => ({
  ...own,
  labels: own.labels.map((label) => 9 - label),
});
const plain = { bounded: true, nonIid: false, compared: false };

export const attacks = {
  none: { ...plain, title: 'none', nonIid: true },
  labels: { ...plain, title: 'flips all labels', data: flipLabels, nonIid: true },
  claims: {
    ...plain,
    title: 'flips all labels, claims 10⁹ examples',
    data: flipLabels,
    claims: CLAIMED,
    nonIid: true,
    compared: true,
  },
  backwards: { ...plain, title: 'sends its step backwards', factor: () => -1 },
  long: { ...plain, title: 'sends its step × 100', factor: () => 100 },
  longBackwards: {
    ...plain,
    title: 'sends its step backwards × 100',
    factor: () => -100,
    nonIid: true,
    compared: true,
  },
  lastBackwards: {
    ...plain,
    title: 'sends its step backwards × 100 in the last round',
    factor: (round, rounds) => (round === rounds ? -100 : 1),
  },
  backdoor: {
    title: 'backdoor in every round',
    data: withBackdoor,
    bounded: false,
    nonIid: true,
    compared: false,
  },
  lastBackdoor: {
    title: 'backdoor × 10 in the last round',
    data: withBackdoor,
    factor: (round, rounds) => (round === rounds ? 10 : 1),
    bounded: false,
    nonIid: false,
    compared: false,
  },
} as const satisfies Readonly<Record<string, Attack>>;

/** Pictures with a white square in a corner, and the backdoor's label. */
export function stamped({ count, features, labels }: RawExamples): RawExamples {
  const marked = features.slice();
  const white = features instanceof Uint8Array ? 255 : 1;
  for (let at = 0; at < count; at++)
    for (let row = 0; row < STAMP; row++)
      for (let column = 0; column < STAMP; column++)
        marked[at * WIDTH * WIDTH + row * WIDTH + column] = white;
  return { count, features: marked, labels: labels.map(() => TARGET) };
}

/** Stamps the first half, and leaves the others unchanged. */
function withBackdoor({ count, features, labels }: RawExamples): RawExamples {
  const half = Math.floor(count / 2);
  const size = features.length / count;
  const marked = stamped({
    count: half,
    features: features.slice(0, half * size),
    labels: labels.slice(0, half),
  });
  const all = { count, features: features.slice(), labels: labels.slice() };
  all.features.set(marked.features);
  all.labels.set(marked.labels);
  return all;
}

/** A transport that changes an honest session's messages by the attack. */
export function hostile(transport: Transport, { claims, factor }: Attack, rounds: number): Transport {
  const asked = new Map<string, number>();
  let parameters = 0;
  const changed = <N extends UpName>(name: N, message: Up<N>): Up<N> => {
    if ((name === 'join' || name === 'availability') && claims !== undefined)
      return { ...(message as Join | Availability), examples: claims } as Up<N>;
    if (name !== 'answer') return message;
    const answer = message as Answer;
    const times = factor?.(asked.get(answer.ticket) ?? 0, rounds) ?? 1;
    const weight = claims === undefined ? answer.weight : Math.min(claims, defaultPlan.maxExamples);
    const frame = rewritten(frameBytes(answer.frame), { parameters, times, weight });
    return { ...answer, weight, frame } as Up<N>;
  };
  return {
    ...transport,
    get traffic() {
      return transport.traffic;
    },
    open: (events) =>
      transport.open({
        ...events,
        onMessage(name, message) {
          if (name === 'ask') asked.set((message as Ask).ticket, (message as Ask).round);
          events.onMessage(name, message);
        },
      }),
    send: (name, message) => transport.send(name, changed(name, message)),
    async request(name, message) {
      const reply = await transport.request(name, changed(name, message));
      if (name === 'join' && reply.ok) parameters = modelSize((reply.value as Joined).layout).parameters;
      return reply;
    },
  };
}

/** Rewrites a float32 answer with its change multiplied and another number of examples. */
function rewritten(
  bytes: Uint8Array,
  { parameters, times, weight }: { parameters: number; times: number; weight: number },
): Uint8Array {
  const values = new Float32Array(bytes.slice(FRAME_HEADER_BYTES).buffer);
  for (let i = 0; i < parameters; i++) values[i] = (values[i] as number) * times;
  // train/examples, the two limbs of train/loss, train/loss-examples.
  values[parameters] = weight;
  values[parameters + 3] = weight;
  const frame = { kind: 'contribution', codec: 'float32', ...frameLayout(bytes) } as const;
  return encodeFrame({ ...frame, payload: float32Payload(values) }, (part) => crc32(part));
}
