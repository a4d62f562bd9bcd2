import { CoppiceError, type ErrorCode, MAX_CONTROL_BYTES } from '@coppice/protocol';
import express, { type Express } from 'express';
import helmet from 'helmet';
import type { Logger } from 'pino';
import type { Metrics } from '../monitoring/metrics.ts';
import type { AddressLimit } from '../security/address-limit.ts';
import type { Trust } from '../security/client-address.ts';
import { accessRouter } from './access.ts';
import { type ApiOptions, apiRouter } from './api.ts';
import { refuseDeepBody } from './body-nesting.ts';
import { knownHosts } from './known-hosts.ts';
import { limitRequests } from './limit-requests.ts';
import { modelsRouter } from './models.ts';
import { pagesRouter } from './pages.ts';
import { readableAnywhere } from './readable-anywhere.ts';
import { requestLog } from './request-log.ts';
import { errorHandler, json } from './respond.ts';

export interface AppOptions extends ApiOptions {
  readonly logger: Logger;
  /** The folder with `client/dist` and `admin/dist`. */
  readonly apps: string;
  /** The folder of the built client library. */
  readonly library: string;
  /** True where this process terminates TLS itself. */
  readonly tls: boolean;
  /** Proxies whose forwarded headers are trusted. */
  readonly trust: Trust;
  readonly publicUrl: string | null;
  /** Limit of requests by address. */
  readonly requests: AddressLimit;
  readonly ready: () => boolean;
  /** True once the state of an earlier process is restored. */
  readonly recovered: () => boolean;
  readonly metrics: Metrics;
  /** Components that are failing right now. */
  readonly troubles: () => Promise<readonly Trouble[]>;
}

/** A failing component: the log, without which runs go on, or storage, without which they do not. */
export type Trouble =
  | {
      readonly part: 'log';
      /** The system's code, such as `ENOSPC`. */
      readonly code: string;
      /** Lines lost since the process began. */
      readonly lost: number;
    }
  | { readonly part: 'storage'; readonly code: ErrorCode };

/** The largest description of a new task, in bytes. */
const MAX_TASK_BYTES = 16 * 1024 * 1024;

/** Creates the HTTP application. */
export function createApp(options: AppOptions): Express {
  const app = express();
  app.disable('x-powered-by');
  app.set('trust proxy', options.trust);
  app.use(requestLog(options.logger));
  app.use(
    helmet({
      contentSecurityPolicy: {
        useDefaults: false,
        directives: {
          'default-src': ["'self'"],
          // tfjs compiles WebAssembly; nothing is ever evaluated from text.
          'script-src': ["'self'", "'wasm-unsafe-eval'"],
          'worker-src': ["'self'", 'blob:'],
          'style-src': ["'self'"],
          'img-src': ["'self'", 'data:', 'blob:'],
          // Sockets to the same host and port are of the same origin here (CSP 3).
          'connect-src': ["'self'"],
          'object-src': ["'none'"],
          'base-uri': ["'none'"],
          'form-action': ["'self'"],
          'frame-ancestors': ["'none'"],
        },
      },
      // Set where TLS is terminated: over plain HTTP on a local network it would lock people out.
      strictTransportSecurity: options.tls,
      crossOriginEmbedderPolicy: false,
    }),
  );
  app.use((_request, response, next) => {
    // Pictures are taken on the client page; nothing else of a device is ever wanted.
    response.set('Permissions-Policy', 'camera=(self), microphone=(), geolocation=(), payment=(), usb=()');
    next();
  });
  app.get(
    '/healthz',
    json(() => ({ ok: true })),
  );
  app.get(
    '/readyz',
    json(async (_request, response) => {
      const troubles = await options.troubles();
      // A failing log is reported, and does not end the service.
      const ready = options.ready() && troubles.every(({ part }) => part === 'log');
      response.status(ready ? 200 : 503).json({ ready, troubles });
    }),
  );
  // Health checks, above, may use any host name; everything from here on is for people and programs.
  app.use(knownHosts(options.publicUrl));
  // Before what may refuse: a page of another origin could not read the reason.
  app.use('/models', readableAnywhere);
  app.get(
    ['/api/tasks', '/api/tasks/:task', '/api/tasks/:task/watch', '/api/runs', '/api/runs/:run/plan'],
    readableAnywhere,
  );
  app.use(['/metrics', '/api', '/models'], limitRequests(options.requests));
  app.use('/metrics', accessRouter(options.admins, '/metrics'));
  app.use(['/metrics', '/api', '/models'], (_request, _response, next) => {
    if (options.recovered()) next();
    else {
      next(
        new CoppiceError(
          'coordinator-starting',
          'The coordinator is starting and still reads its runs from disk. Ask again in a moment; /readyz says when.',
        ),
      );
    }
  });
  app.get('/metrics', (_request, response, next) => {
    options.metrics.text().then((text) => response.type(options.metrics.contentType).send(text), next);
  });
  // A body is read once its sender may send it. Only a new task carries something large, its model's description.
  app.use('/api', accessRouter(options.admins, '/api'));
  app.use('/api/tasks', express.json({ limit: MAX_TASK_BYTES, verify: refuseDeepBody }));
  app.use('/api', express.json({ limit: MAX_CONTROL_BYTES }), apiRouter(options));
  app.use('/models', modelsRouter(options));
  app.use(pagesRouter(options.apps, options.library));
  app.use(() => {
    throw new CoppiceError('not-found', 'There is nothing at this address.');
  });
  app.use(errorHandler(options.logger));
  return app;
}
