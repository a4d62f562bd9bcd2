import { Readable } from 'node:stream';
import type { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { ANSWER_TIMEOUT, REST_TIMEOUT, SILENCE_TIMEOUT } from '@coppice/protocol';
import { s3Error, troubleOf } from './s3-error.ts';
import type { S3Settings } from './s3-settings.ts';

/** Objects by their names below one prefix of one bucket. Every method may throw CoppiceError `storage-*`. */
export interface S3Bucket {
  /** The bucket's name in messages, at the start of a sentence. */
  readonly where: string;
  /** An object's address in messages. */
  addressOf(name: string): string;
  /**
   * Reads an object, and again where `accept` refuses it or the response broke off; returns the last content where it
   * was refused every time.
   *
   * @returns `null` where there is no such object.
   */
  read(name: string, accept?: (bytes: Uint8Array) => Promise<boolean>): Promise<Uint8Array | null>;
  /**
   * Writes an object; durable on return. Objects are written whole or not at all.
   *
   * @param sha256 of the content, hexadecimal: it is signed, so that the server refuses content that changed on the
   *   way.
   * @returns false where the object existed and only a new one was wanted.
   */
  write(
    name: string,
    bytes: Uint8Array,
    options: { readonly sha256: string; readonly onlyNew?: boolean },
  ): Promise<boolean>;
  has(name: string): Promise<boolean>;
  remove(name: string): Promise<void>;
  names(): AsyncIterable<string>;
  /** Closes its connections. */
  close(): Promise<void>;
}

/** Attempts at an operation that fails for a passing reason. */
const ATTEMPTS = 3;

export interface S3Waits {
  /** Wait for a connection, in milliseconds. */
  readonly connect: number;
  /** Wait for the next byte. */
  readonly silence: number;
  /** Wait for the whole response to one attempt. */
  readonly answer: number;
}

const systemWaits: S3Waits = { connect: REST_TIMEOUT, silence: SILENCE_TIMEOUT, answer: ANSWER_TIMEOUT };

/** Returns a bucket that connects on first use. */
export async function s3Bucket(settings: S3Settings, waits: S3Waits = systemWaits): Promise<S3Bucket> {
  const { bucket, prefix, endpoint, region, virtualHost, credentials } = settings;
  // Large, and only for those who use it.
  const sdk = await import('@aws-sdk/client-s3');
  const client: S3Client = new sdk.S3Client({
    region,
    ...(endpoint === null ? {} : { endpoint }),
    forcePathStyle: !virtualHost,
    ...(credentials === null
      ? {}
      : {
          credentials: {
            accessKeyId: credentials.accessKeyId,
            secretAccessKey: credentials.secretAccessKey,
            ...(credentials.sessionToken === null ? {} : { sessionToken: credentials.sessionToken }),
          },
        }),
    // Resets, throttling and the server's own errors, with a growing pause between.
    maxAttempts: ATTEMPTS,
    requestHandler: {
      connectionTimeout: waits.connect,
      socketTimeout: waits.silence,
      requestTimeout: waits.answer,
      throwOnRequestTimeout: true,
    },
    // Newer kinds of checksums are not known to all servers; ours is the name.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    // Servers that do not support it would delay each upload.
    expectContinueHeader: false,
  });
  const where = `The bucket ${bucket}${endpoint === null ? '' : ` at ${endpoint}`}`;
  const named = async <T>(writing: boolean, work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (thrown) {
      throw s3Error(thrown, where, writing);
    }
  };
  const at = (name: string) => ({ Bucket: bucket, Key: prefix + name });

  const readOnce = async (name: string): Promise<Uint8Array | null> => {
    const abortSignal = AbortSignal.timeout(waits.answer);
    try {
      const answer = await client.send(new sdk.GetObjectCommand(at(name)), { abortSignal });
      return await collect(answer.Body as Readable, answer.ContentLength).catch((cause: unknown) => {
        throw new CutShort(`the answer broke off (${(cause as Error).message})`, { cause });
      });
    } catch (thrown) {
      if (troubleOf(thrown).name === 'NoSuchKey') return null;
      throw thrown;
    }
  };

  return {
    where,
    addressOf: (name) => `s3://${bucket}/${prefix}${name}`,
    read: (name, accept = async () => true) =>
      named(false, async () => {
        for (let attempt = 1; ; attempt++) {
          try {
            const bytes = await readOnce(name);
            if (bytes === null || (await accept(bytes)) || attempt === ATTEMPTS) return bytes;
          } catch (thrown) {
            // Until an answer began, the client has tried again by itself.
            if (attempt === ATTEMPTS || !(thrown instanceof CutShort)) throw thrown;
          }
        }
      }),
    write: (name, bytes, { sha256, onlyNew = false }) =>
      named(true, async () => {
        const command = new sdk.PutObjectCommand({
          ...at(name),
          Body: bytes,
          ...(onlyNew ? { IfNoneMatch: '*' } : {}),
        });
        sign(command, sha256);
        sendInSlices(command, bytes);
        try {
          await client.send(command);
          return true;
        } catch (thrown) {
          if (onlyNew && [409, 412].includes(troubleOf(thrown).status ?? 0)) return false;
          throw thrown;
        }
      }),
    has: (name) =>
      named(false, async () => {
        try {
          await client.send(new sdk.HeadObjectCommand(at(name)));
          return true;
        } catch (thrown) {
          if (troubleOf(thrown).status === 404) return false;
          throw thrown;
        }
      }),
    remove: (name) =>
      named(true, async () => void (await client.send(new sdk.DeleteObjectCommand(at(name))))),
    async *names() {
      let from: string | undefined;
      do {
        const page = await named(false, () =>
          client.send(
            new sdk.ListObjectsV2Command({
              Bucket: bucket,
              Prefix: prefix,
              ...(from === undefined ? {} : { ContinuationToken: from }),
            }),
          ),
        );
        for (const { Key } of page.Contents ?? []) if (Key !== undefined) yield Key.slice(prefix.length);
        from = page.IsTruncated === true ? page.NextContinuationToken : undefined;
      } while (from !== undefined);
    },
    async close() {
      client.destroy();
    },
  };
}

/** Signs with a known hash, so that the client does not compute it again in one go. */
function sign(command: PutObjectCommand, sha256: string): void {
  command.middlewareStack.add(
    (next) => (args) => {
      (args.request as Request).headers['x-amz-content-sha256'] = sha256;
      return next(args);
    },
    { step: 'build', name: 'knownContentHash' },
  );
}

interface Request {
  headers: Record<string, string>;
  body: unknown;
}

/** Bytes copied and encrypted in one slice: a few milliseconds of work. */
const SLICE = 1 << 20;

/**
 * Sends as much as the connection accepts, and yields to the event loop in between. Each attempt passes here; for the
 * client the body is bytes, since it does not retry streams.
 */
function sendInSlices(command: PutObjectCommand, bytes: Uint8Array): void {
  const slices = function* () {
    for (let at = 0; at < bytes.byteLength; at += SLICE) yield bytes.subarray(at, at + SLICE);
  };
  command.middlewareStack.add(
    (next) => (args) => {
      (args.request as Request).body = Readable.from(slices(), { objectMode: false });
      return next(args);
    },
    { step: 'deserialize', priority: 'low', name: 'bodyInSlices' },
  );
}

/** A response that began well and broke off. */
class CutShort extends Error {
  override readonly name = 'CutShort';
}

/** Collects a response as it arrives, without a copy of the whole in one go. */
async function collect(body: Readable, length: number | undefined): Promise<Uint8Array> {
  let bytes = new Uint8Array(length ?? 65_536);
  let at = 0;
  for await (const chunk of body as AsyncIterable<Uint8Array>) {
    if (at + chunk.byteLength > bytes.byteLength) {
      const larger = new Uint8Array(Math.max(2 * bytes.byteLength, at + chunk.byteLength));
      larger.set(bytes.subarray(0, at));
      bytes = larger;
    }
    bytes.set(chunk, at);
    at += chunk.byteLength;
  }
  if (length !== undefined && at !== length) throw new Error(`it ended after ${at} of ${length} bytes`);
  return bytes.subarray(0, at);
}
