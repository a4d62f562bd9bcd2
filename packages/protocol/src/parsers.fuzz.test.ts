import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CreateRunSchema, CreateTaskSchema } from './api/http.ts';
import { type Codec, codecs } from './codec.ts';
import {
  ContributionLayoutSchema,
  contributionBytes,
  contributionHash,
  contributionSize,
  sectionsOf,
} from './contribution.ts';
import { downMessages } from './down.ts';
import { CoppiceError } from './errors.ts';
import {
  decodeFrame,
  decodeHeader,
  encodeFrame,
  encodeHeader,
  frameLayout,
  readFloat32Payload,
} from './frame.ts';
import { LayoutSchema, layoutHash, layoutSize } from './layout.ts';
import { MAX_TEXT } from './limits.ts';
import { type DownName, parseMessage, type UpName } from './messages.ts';
import { PlanInputSchema, PlanSchema } from './plan/plan.ts';
import { WireErrorSchema } from './run.ts';
import { TaskSchema } from './task.ts';
import {
  anyBytes,
  anyValue,
  attempt,
  damaged,
  mutated,
  sampleAnswerFrame,
  sampleContribution,
  sampleDown,
  sampleEncodedFrame,
  sampleFrame,
  sampleLayout,
  samplePlan,
  sampleReplies,
  sampleTask,
  sampleUp,
} from './testing/index.ts';
import { HelloSchema } from './up/hello.ts';
import { upMessages } from './up.ts';

/** Every schema that something from outside goes through, with what is valid for it. */
const schemas = [
  ...(Object.keys(upMessages) as UpName[]).map(
    (name) => [name, upMessages[name].schema, [sampleUp[name]]] as const,
  ),
  ...(Object.keys(sampleReplies) as (keyof typeof sampleReplies)[]).map(
    (name) => [`answer to ${name}`, upMessages[name].reply, sampleReplies[name]] as const,
  ),
  ...(Object.keys(downMessages) as DownName[]).map(
    (name) => [name, downMessages[name], [sampleDown[name]]] as const,
  ),
  ['hello', HelloSchema, [{ protocol: 4, oldest: 3, features: ['codec:int4'], key: 'A'.repeat(87) }]],
  ['error', WireErrorSchema, [sampleDown.notice]],
  ['layout', LayoutSchema, [sampleLayout]],
  ['layout of a contribution', ContributionLayoutSchema, [sampleContribution]],
  ['plan', PlanSchema, [samplePlan]],
  ['plan as it is asked for', PlanInputSchema, [samplePlan, {}, { seed: 3 }]],
  ['task', TaskSchema, [sampleTask]],
  ['new task', CreateTaskSchema, [without(sampleTask, 'samples', 'planDefaults')]],
  ['new run', CreateRunSchema, [{ task: 'flowers' }, { task: 'flowers', plan: { seed: 3 }, start: false }]],
] as const;

function without(value: object, ...fields: string[]): object {
  return Object.fromEntries(Object.entries(value).filter(([name]) => !fields.includes(name)));
}

/** Through JSON and back, bytes aside: what the wire does to a message. */
function overTheWire(value: unknown): unknown {
  const bytes: unknown[] = [];
  const text = JSON.stringify(value, (_key, inner: unknown) => {
    if (!(inner instanceof Uint8Array)) return inner;
    return { bytes: bytes.push(inner) - 1 };
  });
  return JSON.parse(text, (_key, inner: unknown) => {
    const at = (inner as { bytes?: unknown } | null)?.bytes;
    return typeof at === 'number' ? bytes[at] : inner;
  });
}

/** The property of every schema: a value becomes one that says the same again over the wire, or is refused by name. */
function expectTakenOrRefused(name: string, schema: (typeof schemas)[number][1], value: unknown): void {
  const result = attempt(() => parseMessage(name, schema, value));
  if ('refused' in result) {
    expect(['message-invalid', 'plan-unsupported']).toContain(result.refused.code);
    // A megabyte of nonsense is not sent back.
    expect(result.refused.message.length).toBeLessThan(2 * MAX_TEXT);
    return;
  }
  const sent = overTheWire(result.value);
  expect(parseMessage(name, schema, sent)).toEqual(sent);
  expect(Object.getPrototypeOf({})).toBe(Object.prototype);
  expect(({} as { extra?: unknown }).extra).toBeUndefined();
}

describe.each(schemas)('%s', (name, schema, valid) => {
  it.each(valid.map((value) => [value]))('takes what is valid, and says the same again', (value) => {
    const parsed = parseMessage(name, schema, value);
    expect(parseMessage(name, schema, overTheWire(parsed))).toEqual(parsed);
  });

  it('takes or refuses by name whatever it is given, and what it took it takes again', () => {
    fc.assert(
      fc.property(fc.oneof({ weight: 4, arbitrary: mutated(...valid) }, anyValue), (value) =>
        expectTakenOrRefused(name, schema, value),
      ),
      { numRuns: 400 },
    );
  });
});

describe('values that once broke the property', () => {
  const { samples: _, planDefaults: __, ...newTask } = sampleTask;
  it.each([
    [
      'a model without its config',
      TaskSchema,
      { ...sampleTask, model: { class_name: 'Sequential', config: undefined } },
    ],
    [
      'a new model without its config',
      CreateTaskSchema,
      { ...newTask, model: { class_name: 'Sequential', config: undefined } },
    ],
    ['a file without its topology', CreateTaskSchema, { ...newTask, model: { modelTopology: undefined } }],
  ])('%s is refused', (name, schema, value) => {
    expect('refused' in attempt(() => parseMessage(name, schema, value))).toBe(true);
    expectTakenOrRefused(name, schema, value);
  });
});

describe('a frame', () => {
  const expected = {
    kind: 'contribution',
    layoutHash: contributionHash(sampleContribution),
    parameters: contributionSize(sampleContribution),
    bytes: (codec: Codec) => contributionBytes(codec, sectionsOf(sampleContribution)),
  } as const;

  it('is read or refused by name, and says the same again', () => {
    const valid = [
      sampleFrame('weights'),
      ...(Object.keys(codecs) as Codec[]).map((codec) => sampleAnswerFrame(codec)),
      sampleEncodedFrame('steps', 'int8'),
    ];
    fc.assert(
      fc.property(fc.oneof({ weight: 4, arbitrary: damaged(...valid) }, anyBytes), (bytes) => {
        const result = attempt(() => {
          const frame = decodeFrame(bytes, expected);
          if (frame.codec === 'float32') readFloat32Payload(frame);
          return frame;
        });
        if ('refused' in result) expect(['frame-invalid', 'update-shape']).toContain(result.refused.code);
        else expect(encodeFrame(result.value)).toEqual(bytes);
      }),
      { numRuns: 3000 },
    );
  });

  it('whose checksums are right is judged by what it says', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 36, maxLength: 36 }), anyBytes, (header, payload) => {
        const bytes = encodeFrame({ ...expected, codec: 'float32', payload });
        const view = new DataView(bytes.buffer);
        // All of the header but the magic and the checksum of the payload.
        bytes.set(header.subarray(4, 32), 4);
        view.setUint32(36, crcOf(bytes.subarray(0, 36)), true);
        const result = attempt(() => readFloat32Payload(decodeFrame(bytes, expected)));
        expect('refused' in result).toBe(true);
      }),
    );
  });
});

describe('a header', () => {
  it('announces no more than the largest model or contribution, whatever it claims', () => {
    // A model has 64 M numbers; a contribution twice as many, and 64 KiB of measures.
    const most = { weights: 2 ** 28, steps: 2 ** 28, contribution: 2 ** 29 + 2 ** 16 } as const;
    const count = fc.oneof(
      fc.integer({ min: 0, max: 2 ** 32 - 1 }),
      fc.constantFrom(2 ** 26, 2 ** 26 + 1, 2 ** 28, 2 ** 28 + 1, 2 ** 29 + 2 ** 16, 2 ** 29 + 2 ** 16 + 1),
    );
    const kinds = fc.constantFrom('weights' as const, 'steps' as const, 'contribution' as const);
    const seen = { taken: 0, refused: 0 };
    fc.assert(
      fc.property(kinds, count, count, (kind, parameters, announced) => {
        const layoutHash = new Uint8Array(16);
        const bytes = encodeHeader({
          ...{ kind, codec: 'float32', layoutHash, parameters },
          ...{ payloadBytes: announced, payloadChecksum: 0 },
        });
        // The receiver that has the least to hold it against: it expects what the header itself says.
        const form = { kind, layoutHash, parameters, bytes: () => announced };
        const result = attempt(() => decodeHeader(bytes, form));
        const layout = attempt(() => frameLayout(bytes));
        const small = announced + 40 <= 2 ** 20;
        const fits = 4 * parameters <= most[kind] && announced <= most[kind];
        expect('refused' in layout).toBe(!fits);
        expect('refused' in result).toBe(!fits || small);
        for (const one of [result, layout])
          if ('refused' in one) expect(one.refused).toMatchObject({ code: 'frame-invalid', retry: 'never' });
        seen[fits ? 'taken' : 'refused']++;
      }),
      { numRuns: 2000 },
    );
    expect(Math.min(seen.taken, seen.refused)).toBeGreaterThan(100);
  });

  it('of any bytes is read or refused by name', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 0, maxLength: 80 }), (bytes) => {
        const result = attempt(() => frameLayout(bytes));
        if ('refused' in result) expect(result.refused.code).toBe('frame-invalid');
        else expect(4 * result.value.parameters).toBeLessThanOrEqual(2 ** 29 + 2 ** 16);
      }),
    );
  });
});

/** CRC-32, bit by bit as its definition says. */
function crcOf(bytes: Uint8Array): number {
  let crc = 0xffff_ffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb8_8320 : 0);
  }
  return (crc ^ 0xffff_ffff) >>> 0;
}

describe('a layout', () => {
  it('that is taken has a size that can be trusted', () => {
    fc.assert(
      fc.property(mutated(sampleLayout), (value) => {
        const result = attempt(() => parseMessage('layout', LayoutSchema, value));
        if ('refused' in result) return;
        expect(layoutHash(result.value)).toHaveLength(16);
        expect(Number.isSafeInteger(layoutSize(result.value))).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('a layout of a contribution', () => {
  it('that is taken has sections whose sizes can be trusted', () => {
    fc.assert(
      fc.property(mutated(sampleContribution), (value) => {
        const result = attempt(() => parseMessage('layout', ContributionLayoutSchema, value));
        if ('refused' in result) return;
        const sections = sectionsOf(result.value);
        expect(contributionHash(result.value)).toHaveLength(16);
        expect(sections.reduce((sum, { parameters }) => sum + parameters, 0)).toBe(
          contributionSize(result.value),
        );
        expect(Number.isSafeInteger(contributionBytes('float32', sections))).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('an error', () => {
  it('of anything that was thrown has a name and a text', () => {
    fc.assert(
      fc.property(anyValue, (thrown) => {
        const { code, message } = CoppiceError.from(thrown).toWire();
        expect(code).toBe('internal');
        expect(typeof message).toBe('string');
      }),
    );
  });
});
