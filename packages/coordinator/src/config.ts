import { isIP } from 'node:net';
import { parseArgs } from 'node:util';
import { CoppiceError, firstIssue } from '@coppice/protocol';
import express from 'express';
import * as z from 'zod/mini';

/** One option: its schema, default and consequence. Flag, environment variable and `--help` are derived from it. */
interface Option<T> {
  readonly env: string;
  readonly flag: string;
  readonly takes: string | null;
  readonly schema: z.ZodMiniType<T>;
  readonly default: T;
  /** True to keep the given value out of messages. */
  readonly secret?: boolean;
  readonly help: string;
}

const integer = (min: number, max: number) =>
  z.pipe(
    z.union([z.number(), z.string().check(z.regex(/^\d+$/, `takes a whole number from ${min} to ${max}`))]),
    z.pipe(z.transform(Number), z.int().check(z.minimum(min), z.maximum(max))),
  ) as unknown as z.ZodMiniType<number>;

const flagValue = z.pipe(
  z.union([z.boolean(), z.enum(['1', '0', 'true', 'false', ''])]),
  z.transform((value) => value === true || value === '1' || value === 'true'),
) as unknown as z.ZodMiniType<boolean>;

/** Checks that Express accepts these as trusted proxies, in the usual notation of addresses: Express would read "0" as one. */
function areProxies(given: readonly string[]): boolean {
  const names = ['loopback', 'linklocal', 'uniquelocal'];
  if (!given.every((one) => names.includes(one) || isIP(one.replace(/\/\d{1,3}$/, '')) !== 0)) return false;
  try {
    express().set('trust proxy', given);
    return true;
  } catch {
    return false;
  }
}

const option = <T>(given: Option<T>) => given;

export const options = {
  host: option<string>({
    env: 'HOST',
    flag: 'host',
    takes: 'ADDRESS',
    schema: z.string().check(z.minLength(1)),
    default: '127.0.0.1',
    help: 'Address to listen on. The default is reached from this machine only; 0.0.0.0 is reached from everywhere, so put TLS in front.',
  }),
  port: option<number>({
    env: 'PORT',
    flag: 'port',
    takes: 'N',
    schema: integer(0, 65_535),
    default: 8080,
    help: 'Port to listen on; 0 takes a free one.',
  }),
  dataDir: option<string>({
    env: 'COPPICE_DATA_DIR',
    flag: 'data-dir',
    takes: 'DIR',
    schema: z.string().check(z.minLength(1)),
    default: 'data',
    help: 'Folder for models, rounds and the event log. Without it a restart would lose the runs; back it up.',
  }),
  databaseUrl: option<string | null>({
    env: 'DATABASE_URL',
    flag: 'database-url',
    takes: 'URL',
    schema: z.nullable(
      z.string().check(z.regex(/^postgres(ql)?:\/\//, 'takes postgres://user:password@host/database')),
    ),
    default: null,
    secret: true,
    help: 'PostgreSQL database for rounds and the event log, postgres://user:password@host/database; weights stay where they are. Left out, SQLite in the data folder. Better in the environment: flags show in process lists.',
  }),
  blobUrl: option<string | null>({
    env: 'COPPICE_BLOB_URL',
    flag: 'blob-url',
    takes: 'URL',
    schema: z.nullable(
      z
        .string()
        .check(
          z.regex(
            /^s3:\/\/[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](\/(?!\.{0,2}(\/|$))[\w.-]+)*\/?$/,
            'takes s3://bucket or s3://bucket/prefix; in prefixes letters, digits, and . _ - between slashes',
          ),
        ),
    ),
    default: null,
    secret: true,
    help: 'Bucket of an S3-compatible object store for weights and strategies’ memories, s3://bucket/prefix. Left out, files in the data folder.',
  }),
  s3Endpoint: option<string | null>({
    env: 'AWS_ENDPOINT_URL_S3',
    flag: 's3-endpoint',
    takes: 'URL',
    schema: z.nullable(
      z
        .string()
        .check(
          z.refine(
            (url) => /^https?:\/\/[^\s@?#]+$/.test(url) && URL.canParse(url),
            'takes https://host or https://host:port, without user and password',
          ),
        ),
    ),
    default: null,
    secret: true,
    help: 'With --blob-url: the address of the object store. Left out, Amazon S3.',
  }),
  s3Region: option<string>({
    env: 'AWS_REGION',
    flag: 's3-region',
    takes: 'REGION',
    schema: z.string().check(z.regex(/^[a-z0-9-]+$/, 'takes the name of a region, as eu-central-1')),
    default: 'us-east-1',
    help: 'With --blob-url: the bucket’s region; auto for Cloudflare R2. Where a store of your own has no regions, the default will do.',
  }),
  s3VirtualHost: option<boolean>({
    env: 'COPPICE_S3_VIRTUAL_HOST',
    flag: 's3-virtual-host',
    takes: null,
    schema: flagValue,
    default: false,
    help: 'With --s3-endpoint: the bucket’s name goes before the host’s (https://bucket.host/), for stores that want it so. Left out, into the path (https://host/bucket/).',
  }),
  s3AccessKeyId: option<string | null>({
    env: 'AWS_ACCESS_KEY_ID',
    flag: 's3-access-key-id',
    takes: 'ID',
    schema: z.nullable(z.string().check(z.regex(/^\S+$/, 'takes one word'))),
    default: null,
    secret: true,
    help: 'With --blob-url: who asks the object store. Without key and secret, the role or profile that this machine has.',
  }),
  s3SecretAccessKey: option<string | null>({
    env: 'AWS_SECRET_ACCESS_KEY',
    flag: 's3-secret-access-key',
    takes: 'SECRET',
    schema: z.nullable(z.string().check(z.regex(/^\S+$/, 'takes one word'))),
    default: null,
    secret: true,
    help: 'The secret of --s3-access-key-id. Better in the environment: flags show in process lists.',
  }),
  s3SessionToken: option<string | null>({
    env: 'AWS_SESSION_TOKEN',
    flag: 's3-session-token',
    takes: 'TOKEN',
    schema: z.nullable(z.string().check(z.regex(/^\S+$/, 'takes one word'))),
    default: null,
    secret: true,
    help: 'Where the key is a temporary one: its token. Better in the environment: flags show in process lists.',
  }),
  keepLast: option<number>({
    env: 'COPPICE_KEEP_LAST',
    flag: 'keep-last',
    takes: 'N',
    schema: integer(0, 1_000_000).check(z.refine((n) => n !== 1, 'takes 0, or 2 and more')),
    default: 0,
    help: 'How many of a run’s newest checkpoints are kept, 2 or more, besides the best and those of --keep-every; 0 keeps all. What is not kept is deleted for good.',
  }),
  keepEvery: option<number>({
    env: 'COPPICE_KEEP_EVERY',
    flag: 'keep-every',
    takes: 'N',
    schema: integer(0, 1_000_000),
    default: 10,
    help: 'With --keep-last: the checkpoint of every so many rounds is kept too, the first weights included; 0 keeps none for that reason.',
  }),
  keepReleased: option<number>({
    env: 'COPPICE_KEEP_RELEASED',
    flag: 'keep-released',
    takes: 'DAYS',
    schema: integer(0, 36_500),
    default: 30,
    help: 'With --keep-last: for how many days a checkpoint is kept after a channel of releases last named it, so that a release can be taken back. A checkpoint that a channel names is always kept.',
  }),
  adminKey: option<string | null>({
    env: 'COPPICE_ADMIN_KEY',
    flag: 'admin-key',
    takes: 'KEY',
    schema: z.nullable(z.string().check(z.minLength(8, 'takes at least 8 characters'))),
    default: null,
    secret: true,
    help: 'A standing key that opens the admin page and API as an owner, for scripts. Left out, there is none: as long as no owner has a password, a link that opens once is printed at each start. Better in the environment: flags show in process lists.',
  }),
  operator: option<string>({
    env: 'COPPICE_OPERATOR',
    flag: 'operator',
    takes: 'NAME',
    schema: z.string().check(z.minLength(1), z.maxLength(200)),
    default: 'an unnamed operator',
    help: 'Who runs this coordinator, as participants read it before they agree to take part.',
  }),
  publicUrl: option<string | null>({
    env: 'COPPICE_PUBLIC_URL',
    flag: 'public-url',
    takes: 'URL',
    schema: z.nullable(z.url()),
    default: null,
    help: 'The address under which browsers reach this coordinator, where a proxy stands before it. Used in printed links.',
  }),
  allowOrigin: option<string | null>({
    env: 'COPPICE_ALLOW_ORIGIN',
    flag: 'allow-origin',
    takes: 'URLS',
    schema: z.nullable(
      z.string().check(
        z.regex(
          /^https?:\/\/[^\s,/]+(,https?:\/\/[^\s,/]+)*$/,
          'takes https://example.org, several with commas and no spaces between',
        ),
        z.refine((urls) => urls.split(',').every((url) => URL.canParse(url)), 'has an address that is none'),
      ),
    ),
    default: null,
    help: 'Other web pages that may connect their visitors, as https://example.org, several with commas between. Left out, only pages that come from this coordinator.',
  }),
  tlsCert: option<string | null>({
    env: 'COPPICE_TLS_CERT',
    flag: 'tls-cert',
    takes: 'FILE',
    schema: z.nullable(z.string().check(z.minLength(1))),
    default: null,
    help: 'Certificate with its chain, PEM: the coordinator then speaks https itself. Read again at SIGHUP, so that a renewed one needs no restart.',
  }),
  tlsKey: option<string | null>({
    env: 'COPPICE_TLS_KEY',
    flag: 'tls-key',
    takes: 'FILE',
    schema: z.nullable(z.string().check(z.minLength(1))),
    default: null,
    help: 'Private key of --tls-cert, PEM, without a passphrase.',
  }),
  trustProxy: option<string | null>({
    env: 'COPPICE_TRUST_PROXY',
    flag: 'trust-proxy',
    takes: 'PROXIES',
    schema: z.nullable(
      z
        .string()
        .check(
          z.refine(
            (given) => /^[1-9]\d?$/.test(given) || areProxies(given.split(',')),
            'takes how many proxies stand before this coordinator, or their addresses or networks with commas between, as 10.0.0.1 or 10.0.0.0/8, or loopback, linklocal or uniquelocal',
          ),
        ),
    ),
    default: null,
    help: 'Whose word is taken for the address and the scheme of a request (X-Forwarded-For, X-Forwarded-Proto): how many proxies stand before this coordinator, or which. Left out, nobody’s: anybody can send such headers.',
  }),
  connections: option<number>({
    env: 'COPPICE_CONNECTIONS',
    flag: 'connections',
    takes: 'N',
    schema: integer(0, 1_000_000),
    default: 10_000,
    help: 'How many sockets may be open at once, in all; 0 sets no limit. Each takes memory; the system’s limit of open files must be higher.',
  }),
  connectionsPerAddress: option<number>({
    env: 'COPPICE_CONNECTIONS_PER_ADDRESS',
    flag: 'connections-per-address',
    takes: 'N',
    schema: integer(0, 1_000_000),
    default: 250,
    help: 'How many sockets one address may have open at once (of IPv6, one /64 network); 0 sets no limit. A school or an office may share one address, and so does everybody behind a proxy that --trust-proxy does not name.',
  }),
  identitiesPerHour: option<number>({
    env: 'COPPICE_IDENTITIES_PER_HOUR',
    flag: 'identities-per-hour',
    takes: 'N',
    schema: integer(0, 1_000_000),
    default: 500,
    help: 'How many participants never seen before may come from one address in an hour; 0 sets no limit. Who was here before is always let in.',
  }),
  requestsPerMinute: option<number>({
    env: 'COPPICE_REQUESTS_PER_MINUTE',
    flag: 'requests-per-minute',
    takes: 'N',
    schema: integer(0, 1_000_000),
    default: 3_000,
    help: 'How many requests to the API and for models, and how many new connections, one address may begin in a minute; 0 sets no limit.',
  }),
  eventsPerSecond: option<number>({
    env: 'COPPICE_EVENTS_PER_SECOND',
    flag: 'events-per-second',
    takes: 'N',
    schema: integer(0, 1_000_000),
    default: 100,
    help: 'How many messages a second one connection may send for long, five times as many for a moment; 0 sets no limit. Faster ones are refused unread.',
  }),
  logLevel: option<string>({
    env: 'COPPICE_LOG_LEVEL',
    flag: 'log-level',
    takes: 'LEVEL',
    schema: z.enum(['silent', 'error', 'warn', 'info', 'debug']) as unknown as z.ZodMiniType<string>,
    default: 'warn',
    help: 'How much goes to the structured log on stderr: silent, error, warn, info or debug.',
  }),
  json: option<boolean>({
    env: 'COPPICE_JSON',
    flag: 'json',
    takes: null,
    schema: flagValue,
    default: false,
    help: 'Print one line of JSON with the addresses on stdout instead of text.',
  }),
} as const;

export type Config = {
  -readonly [K in keyof typeof options]: (typeof options)[K] extends Option<infer T> ? T : never;
};

/** Every option at its default. */
export const defaultConfig = Object.fromEntries(
  Object.entries(options).map(([name, { default: value }]) => [name, value]),
) as Config;

/** Limits by address and time switched off, for a coordinator whose participants are its operator's own programs. */
export const noLimits = {
  connections: 0,
  connectionsPerAddress: 0,
  identitiesPerHour: 0,
  requestsPerMinute: 0,
  eventsPerSecond: 0,
} as const satisfies Partial<Config>;

/**
 * Reads the configuration from flags, then environment, then defaults.
 *
 * @throws CoppiceError `config-invalid`, naming the flag or variable and its valid values.
 */
export function readConfig(
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Config | 'help' {
  const flags: Record<string, { type: 'string' | 'boolean' }> = { help: { type: 'boolean' } };
  for (const { flag, takes } of Object.values(options))
    flags[flag] = { type: takes === null ? 'boolean' : 'string' };
  let given: Record<string, unknown>;
  try {
    given = parseArgs({ args: [...argv], options: flags, strict: true }).values;
  } catch (cause) {
    throw new CoppiceError(
      'config-invalid',
      `${(cause as Error).message.split('. ')[0]}. See --help for what there is.`,
      { cause },
    );
  }
  if (given.help === true) return 'help';
  const config: Record<string, unknown> = {};
  for (const [
    name,
    { flag, env: variable, schema, default: fallback, takes, secret = false },
  ] of Object.entries(options)) {
    const fromFlag = given[flag];
    const raw = fromFlag ?? env[variable];
    if (raw === undefined || (raw === '' && takes !== null)) {
      config[name] = fallback;
      continue;
    }
    const parsed = (schema as z.ZodMiniType).safeParse(raw);
    if (!parsed.success) {
      const where = fromFlag === undefined ? variable : `--${flag}`;
      throw new CoppiceError(
        'config-invalid',
        `${where} ${takes ?? ''} cannot be ${secret ? 'what was given' : `"${raw}"`}: ${firstIssue(parsed.error)}.`,
      );
    }
    config[name] = parsed.data;
  }
  return config as Config;
}

export function helpText(): string {
  const lines = Object.values(options).map(({ flag, takes, env, default: fallback, help }) => {
    const head = `  --${flag}${takes === null ? '' : ` ${takes}`}`;
    const shown = fallback === null || fallback === false ? '' : ` (default: ${fallback})`;
    return `${head}\n      ${help}${shown}\n      Environment: ${env}`;
  });
  return `Usage: pnpm start [options]\n\nStarts the coordinator and serves the client page and the admin page.\n\n${lines.join('\n\n')}\n`;
}

export const copyHelpText = `Usage: pnpm backup DIR [options]
       pnpm restore DIR [options]

Copies a coordinator's records and models into a new folder, while it runs or not; and back, into an empty
one. The options that matter are those that say where the coordinator keeps its data: --${options.dataDir.flag},
--${options.databaseUrl.flag}, --${options.blobUrl.flag} and those of S3, or their variables, as for pnpm start.
`;

export const adminKeyHelpText = `Usage: pnpm admin-key [options]

Prints a link that opens the admin page once, as the owner: for a first password, or a forgotten one. Works while
the coordinator runs, and for whoever may read its data. The options that matter are those that say where the
coordinator keeps its data and is reached: --${options.dataDir.flag}, --${options.databaseUrl.flag}, --${options.publicUrl.flag}, --${options.host.flag} and --${options.port.flag}, as for pnpm start.
`;
