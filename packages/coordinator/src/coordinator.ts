import {
  createServer,
  type Server as HttpServer,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Clock } from '@coppice/ports';
import { systemClock } from '@coppice/ports/system';
import {
  ANSWER_TIMEOUT,
  CoppiceError,
  HEARTBEAT_INTERVAL,
  MAX_MESSAGE_BYTES,
  SILENCE_TIMEOUT,
} from '@coppice/protocol';
import type { Express } from 'express';
import { type Logger, pino } from 'pino';
import { Server } from 'socket.io';
import packageJson from '../package.json' with { type: 'json' };
import { type Config, defaultConfig } from './config.ts';
import { createApp } from './http/app.ts';
import { Downloads, MOST_ANSWERS, MOST_ANSWERS_PER_ADDRESS } from './http/downloads.ts';
import { OpenSockets } from './http/open-sockets.ts';
import type { ModelWorker } from './model-worker/model-worker.ts';
import { threadedModels } from './model-worker/threaded-models.ts';
import { EventLog } from './monitoring/event-log.ts';
import { Metrics } from './monitoring/metrics.ts';
import { StorageHealth } from './monitoring/storage-health.ts';
import { mostConnections } from './process/most-connections.ts';
import { type Output, standardError } from './process/output.ts';
import { AdminHub } from './realtime/admin.ts';
import { ConnectionBytes } from './realtime/connection-bytes.ts';
import { Door } from './realtime/door.ts';
import { limitEvents } from './realtime/event-limit.ts';
import { onePartParser } from './realtime/parser.ts';
import { ParticipantHub } from './realtime/participants.ts';
import { Presences } from './realtime/presences.ts';
import { Unproven } from './realtime/unproven.ts';
import { Runs } from './registry/runs.ts';
import { Tasks } from './registry/tasks.ts';
import { WeightsDesk } from './registry/weights-desk.ts';
import { armIn } from './releases/arms.ts';
import { stepOf } from './releases/firing-machine.ts';
import { Firings } from './releases/firings.ts';
import { ReleaseAnnouncer } from './releases/release-announcer.ts';
import { Releases } from './releases/releases.ts';
import type { RetryPauses } from './rounds/retries.ts';
import { AddressLimit } from './security/address-limit.ts';
import { Admins } from './security/admins.ts';
import { Admissions } from './security/admissions.ts';
import { trustOf } from './security/client-address.ts';
import { ConnectionCaps } from './security/connection-caps.ts';
import { Newcomers } from './security/newcomers.ts';
import { allowedOrigins } from './security/origins.ts';
import { newSecret } from './security/secrets.ts';
import { readTls } from './security/tls.ts';
import { fileSpool } from './storage/file-spool.ts';
import { openStorage } from './storage/open-storage.ts';
import { withRetention } from './storage/retention.ts';
import type { Spool } from './storage/spool.ts';
import type { Storage } from './storage/storage.ts';
import { Comparisons } from './watch/comparisons.ts';
import { MonitoredTasks } from './watch/monitored-tasks.ts';
import { Policies } from './watch/policies.ts';

/** A running coordinator. */
export interface Coordinator {
  readonly url: string;
  readonly client: string;
  /** URL of the admin page, with the configured key, or with a one-time key where no owner has a password yet. */
  readonly admin: string;
  /** A standing owner credential for the caller: the configured one, or one that is neither printed nor stored. */
  readonly adminKey: string;
  readonly runs: Runs;
  readonly tasks: Tasks;
  /** Weights that are given with tasks. */
  readonly weights: WeightsDesk;
  readonly admissions: Admissions;
  readonly monitored: MonitoredTasks;
  readonly firings: Firings;
  readonly releases: Releases;
  readonly storage: Storage;
  /** Reloads the certificate; open connections keep the old one. @throws CoppiceError `config-invalid` */
  renewCertificate(): void;
  /** Begins no new round, closes all connections, and resolves once everything is on disk. */
  close(): Promise<void>;
}

export interface CoordinatorOptions {
  readonly config?: Partial<Config>;
  /** False: nothing is forced to disk, for a temporary data folder. */
  readonly flush?: boolean;
  /** Pauses before an abandoned round is retried, where its participants need no time to reconnect; left out: 1 s to 30 s. */
  readonly retryPauses?: RetryPauses;
  /** Replaceable for tests. */
  readonly clock?: Clock;
  readonly storage?: Storage;
  readonly spool?: Spool;
  readonly models?: ModelWorker;
  /** Draws the secrets of watches and canaries; 16 characters or more; left out, at random. Known ones make arms repeatable, as a simulation needs. */
  readonly drawSecret?: () => string;
  /** Receives the log, a JSON object a line; left out: standard error. */
  readonly log?: Output;
}

/** Milliseconds. */
const DAY = 24 * 3600 * 1000;
/** The time in which open answers may still be read when the coordinator closes: less than `REST_TIMEOUT`. */
export const CLOSING_GRACE = 2_000;
const APPS = fileURLToPath(new URL('../../../apps', import.meta.url));
const LIBRARY = fileURLToPath(new URL('../../client/dist', import.meta.url));

/**
 * Assembles the coordinator and starts to listen.
 *
 * @throws CoppiceError `config-invalid` where the address cannot be listened on, `storage-*` where the data folder
 *   cannot be used.
 */
export async function startCoordinator(options: CoordinatorOptions = {}): Promise<Coordinator> {
  const config: Config = { ...defaultConfig, ...options.config };
  // Before anything is opened that would have to be closed again.
  const tls = readTls(config);
  const clock = options.clock ?? systemClock;
  const log = options.log ?? standardError;
  const logger: Logger = pino({ level: config.logLevel }, { write: (line) => log.write(line) });
  const health = new StorageHealth(options.storage ?? (await openStorage(config, options.flush)), clock);
  const opened = health.storage;
  const { keepLast: last, keepEvery: every, keepReleased } = config;
  const storage =
    last === 0
      ? opened
      : withRetention(opened, {
          rule: { last, every },
          released: keepReleased * DAY,
          clock,
          failed: (thrown) => logger.error({ err: thrown }, 'old checkpoints could not be deleted'),
        });
  const spool = options.spool ?? fileSpool(join(config.dataDir, 'spool'), options.flush);
  const models = options.models ?? threadedModels({ clock });
  const adminKey = config.adminKey ?? newSecret();
  const admins = new Admins(storage, clock, adminKey);
  const admissions = new Admissions(storage, clock);
  const events = new EventLog(storage, clock, logger);
  const weights = new WeightsDesk({ storage, models, clock });
  const tasks = new Tasks({ storage, models, desk: weights });
  const releases = new Releases({ storage, tasks, models, events, clock });
  const policies = new Policies({ storage, tasks, clock });
  let recovered = false;
  let ready = false;

  let app: Express;
  const handle = (request: IncomingMessage, response: ServerResponse) => app(request, response);
  // How often Node looks for connections that are past the two timeouts below.
  const connectionsCheckingInterval = HEARTBEAT_INTERVAL;
  const secure = tls === null ? null : createSecureServer({ ...tls, connectionsCheckingInterval }, handle);
  const server = secure ?? createServer({ connectionsCheckingInterval }, handle);
  const sockets = new OpenSockets(server, secure !== null);
  server.headersTimeout = SILENCE_TIMEOUT;
  server.requestTimeout = ANSWER_TIMEOUT;
  const most = mostConnections();
  if (most !== null) server.maxConnections = most;
  const origins = allowedOrigins(config);
  const { publicUrl } = config;
  const trust = trustOf(config.trustProxy);
  const door = new Door({
    trust,
    origins,
    publicUrl,
    caps: new ConnectionCaps({ total: config.connections, perAddress: config.connectionsPerAddress }),
    begun: new AddressLimit(config.requestsPerMinute, 60),
    refused: (reason) => metrics.connectionRefused(reason),
    unnamedProxy: () =>
      logger.warn(
        'Connections come through a proxy that --trust-proxy does not name: everybody behind it counts as one address, and limits by address hold them all.',
      ),
  });
  const io = new Server({
    allowRequest: door.allowRequest,
    ...(config.allowOrigin === null ? {} : { cors: { origin: origins } }),
    serveClient: false,
    maxHttpBufferSize: MAX_MESSAGE_BYTES,
    parser: onePartParser,
    pingInterval: HEARTBEAT_INTERVAL,
    pingTimeout: SILENCE_TIMEOUT - HEARTBEAT_INTERVAL,
    connectTimeout: SILENCE_TIMEOUT,
    transports: ['websocket', 'polling'],
    // Weights are noise to a compressor: it would cost time and save nothing.
    perMessageDeflate: false,
    httpCompression: false,
  });
  const unproven = new Unproven();
  const metrics = new Metrics({
    connected: () => presences.connected,
    remembered: () => presences.remembered,
    runs: () => runs.all(),
    spoolWaiting: () => spool.waiting,
    eventsWaiting: () => events.waiting,
    logLinesLost: () => log.lost,
  });
  const newcomers = new Newcomers({
    storage,
    clock,
    logger,
    limit: new AddressLimit(config.identitiesPerHour, 3600),
  });
  const people = io.of('/participant');
  door.guard(people);
  limitEvents(people, {
    clock,
    perSecond: config.eventsPerSecond,
    refused: () => metrics.answered('any', 'rate-limited'),
  });
  const bytes = new ConnectionBytes();
  const presences = new Presences(
    people,
    (participant, run) => runs.remembers(run, participant),
    (connection) => bytes.of(connection),
  );
  const runs: Runs = new Runs({
    storage,
    spool,
    clock,
    audience: presences,
    models,
    events,
    tasks,
    admissions,
    retryPauses: options.retryPauses,
  });
  const drawSecret = options.drawSecret ?? newSecret;
  const hindered = (task: string, error: CoppiceError) =>
    logger.error({ err: error, task }, 'the watch of a task was hindered');
  const monitored = new MonitoredTasks({
    storage,
    spool,
    clock,
    tasks,
    releases,
    policies,
    admissions,
    audience: presences,
    events,
    newSecret: drawSecret,
    trainingWindow: (run) => (runs.has(run) ? runs.get(run).plan.window : null),
    judged: (period) => firings.judged(period),
    armOf: (task, participant) => armIn(firings.canaries, task, participant),
    failed: hindered,
  });
  const { offers } = monitored;
  const comparisons = new Comparisons({
    tasks,
    offers,
    answers: monitored.answers,
    admissions,
    audience: presences,
    spool,
    clock,
    ledger: storage,
    secretOf: (task) => storage.watchSecret(task, drawSecret()),
    newSecret: drawSecret,
    failed: hindered,
  });
  const firings: Firings = new Firings({
    storage,
    tasks,
    runs,
    releases,
    comparisons,
    admissions,
    events,
    clock,
    newSecret: drawSecret,
    failed: (error) => logger.error({ err: error }, 'a firing could not be carried on; it is tried again'),
  });
  policies.subscribe(({ task }) => firings.policyChanged(task));
  // After firings, which know of a canary's move first.
  const { canaries } = firings;
  const announcer = new ReleaseAnnouncer({
    storage,
    releases,
    canaries,
    offers,
    admissions,
    audience: presences,
  });
  runs.subscribe({
    runChanged: () => {},
    participantsChanged: () => {},
    roundChanged: (round) => {
      // A closed round is told once more when participants' measurements are added to it.
      if (round.outcome !== 'open' && round.federated === null) metrics.roundEnded(round);
    },
  });

  let client = '';
  app = createApp({
    runs,
    tasks,
    desk: weights,
    storage,
    models,
    releases,
    policies,
    firings,
    monitored,
    admins,
    admissions,
    downloads: new Downloads(
      clock,
      new ConnectionCaps({
        total: config.connections === 0 ? 0 : MOST_ANSWERS,
        perAddress: config.connectionsPerAddress === 0 ? 0 : MOST_ANSWERS_PER_ADDRESS,
      }),
    ),
    origins,
    countResponse: (participant, response) => presences.countResponse(participant, response),
    adminPage: () => `${client}admin`,
    clientPage: () => client,
    operator: config.operator,
    version: packageJson.version,
    logger,
    apps: APPS,
    library: LIBRARY,
    metrics,
    trust,
    publicUrl,
    requests: new AddressLimit(config.requestsPerMinute, 60),
    tls: tls !== null,
    ready: () => ready,
    troubles: async () => {
      const refused = await health.check();
      return [
        ...(log.trouble === null ? [] : [{ part: 'log' as const, code: log.trouble, lost: log.lost }]),
        ...(refused === null ? [] : [{ part: 'storage' as const, code: refused }]),
      ];
    },
    recovered: () => recovered,
  });
  const adminHub = new AdminHub(io.of('/admin'), {
    runs,
    events,
    storage,
    clock,
    admins,
    operator: config.operator,
    client: () => client,
    proved: (connection) => unproven.proved(connection),
  });

  const entry = config.adminKey ?? (await admins.oneTimeKey());
  // The address answers from the start, so that a supervisor sees a long recovery for what it is.
  const url = await listen(server, config);
  client = `${url}/`;
  try {
    await admissions.recover();
    await newcomers.tidy();
    await weights.tidy();
    await tasks.recover();
    await runs.recover();
    const open = await storage.openFirings();
    const comparing = new Set(
      open.filter((firing) => stepOf(firing).step === 'compare').map(({ task }) => task),
    );
    const names = tasks.all().map(({ id }) => id);
    await comparisons.erase(names.filter((task) => !comparing.has(task)));
    await firings.recover();
    await announcer.recover(names);
    await monitored.recover();
  } catch (thrown) {
    server.close();
    server.closeAllConnections();
    throw thrown;
  }
  recovered = true;
  const hub = new ParticipantHub(people, {
    runs,
    tasks,
    monitored,
    announcer,
    presences,
    logger,
    clock,
    operator: config.operator,
    publicUrl,
    admissions,
    newcomers,
    addressOf: (socket) => door.addressOf(socket.conn),
    answered: (name, result) => metrics.answered(name, result),
    proved: (connection) => unproven.proved(connection),
  });
  // Sockets come last: participants of an earlier life are waiting, and nobody may come in before there
  // is someone to greet them. (Socket.IO answers its own path only when the other handler was there first.)
  unproven.watch(server, () => io.attach(server));
  sockets.watchUpgrades(server);
  bytes.watch(server, io.engine);
  door.watch(io);
  ready = true;

  return {
    url,
    client,
    admin: entry === null ? `${url}/admin` : `${url}/admin?key=${encodeURIComponent(entry)}`,
    adminKey,
    runs,
    tasks,
    weights,
    admissions,
    monitored,
    firings,
    releases,
    storage,
    renewCertificate() {
      const renewed = readTls(config);
      if (renewed !== null) secure?.setSecureContext(renewed);
    },
    async close() {
      ready = false;
      hub.close();
      adminHub.close();
      const atRest = Promise.all([firings.stop(), monitored.stop(), comparisons.stop()]);
      runs.close();
      announcer.stop();
      // What waits for a thread ends now, launches of firings and requests alike: the server closes once all are answered.
      await models.close();
      await atRest;
      // One that a firing was about to create.
      runs.close();
      const closed = new Promise<void>((resolve) => void io.close(() => resolve()));
      sockets.endIdle();
      const endGrace = clock.setTimer(CLOSING_GRACE, () => sockets.endAll());
      await closed;
      endGrace();
      await events.flush();
      await spool.close();
      await storage.close();
    },
  };
}

function listen(server: HttpServer, { host, port, publicUrl, tlsCert }: Config): Promise<string> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const why =
        cause.code === 'EADDRINUSE'
          ? `Port ${port} is taken, perhaps by another coordinator. Stop it, or choose another with --port (0 takes a free one).`
          : `${host}:${port} cannot be listened on: ${cause.message}.`;
      reject(new CoppiceError('config-invalid', why, { cause }));
    });
    server.listen(port, host, () => {
      const { port: actual } = server.address() as AddressInfo;
      const shown =
        host === '0.0.0.0' || host === '::' ? 'localhost' : host.includes(':') ? `[${host}]` : host;
      resolve(publicUrl?.replace(/\/$/, '') ?? `${tlsCert === null ? 'http' : 'https'}://${shown}:${actual}`);
    });
  });
}
