import * as z from 'zod/mini';
import { codecs } from './codec.ts';
import { downMessages } from './down.ts';
import { FRAME_HEADER_BYTES, FRAME_VERSION, frameKinds } from './frame.ts';
import { WireErrorSchema } from './run.ts';
import { HelloSchema } from './up/hello.ts';
import { upMessages } from './up.ts';

/** A JSON Schema, draft 2020-12. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/** One message of the participant's wire. */
export interface DescribedMessage {
  /** `up`: from the participant to the coordinator; `down`: the other way. */
  readonly direction: 'up' | 'down';
  readonly schema: JsonSchema;
  /** Schema of the acknowledgement; `null` where the message has none. */
  readonly reply: JsonSchema | null;
}

/** The participant's wire as data. */
export interface DescribedWire {
  /** The handshake: `auth` of the Socket.IO connection. */
  readonly hello: JsonSchema;
  /** Schema of `connect_error` and of answers with `ok: false`. */
  readonly error: JsonSchema;
  /** Messages by event name. */
  readonly messages: Readonly<Record<string, DescribedMessage>>;
  readonly frame: {
    readonly headerBytes: number;
    readonly version: number;
    /** Numbers in the header, by name. */
    readonly kinds: Readonly<Record<string, number>>;
    readonly codecs: Readonly<Record<string, number>>;
  };
}

/**
 * Describes every message by a JSON Schema, in the version that this package speaks. Bytes are strings with
 * `contentEncoding: "binary"`: they travel as binary parts, not as JSON.
 */
export function describeWire(): DescribedWire {
  return {
    hello: jsonSchema(HelloSchema),
    error: jsonSchema(WireErrorSchema),
    messages: Object.fromEntries([
      ...Object.entries(upMessages).map(([name, { schema, reply }]): [string, DescribedMessage] => [
        name,
        { direction: 'up', schema: jsonSchema(schema), reply: reply && jsonSchema(reply) },
      ]),
      ...Object.entries(downMessages).map(([name, schema]): [string, DescribedMessage] => [
        name,
        { direction: 'down', schema: jsonSchema(schema), reply: null },
      ]),
    ]),
    frame: {
      headerBytes: FRAME_HEADER_BYTES,
      version: FRAME_VERSION,
      kinds: frameKinds,
      codecs,
    },
  };
}

function jsonSchema(schema: z.ZodMiniType): JsonSchema {
  return z.toJSONSchema(schema, {
    io: 'input',
    unrepresentable: 'any',
    override: ({ zodSchema, jsonSchema: written }) => {
      // The only custom type of the wire is a block of bytes.
      if (zodSchema._zod.def.type === 'custom')
        Object.assign(written, { type: 'string', contentEncoding: 'binary' });
    },
  });
}
