import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { CoppiceError } from '@coppice/protocol';
import express, { Router } from 'express';
import { readableAnywhere } from './readable-anywhere.ts';

/** Routes of what is built: the client page at `/`, the admin page at `/admin`, and the client library at `/sdk`, for any origin. */
export function pagesRouter(apps: string, library: string): Router {
  const router = Router();
  router.use('/sdk', readableAnywhere, built(library), (_request, _response, next) =>
    next(libraryMissing(library)),
  );
  router.use('/admin', page(join(apps, 'admin', 'dist')));
  router.use('/', page(join(apps, 'client', 'dist')));
  return router;
}

function libraryMissing(library: string): CoppiceError {
  return existsSync(join(library, 'coppice.js'))
    ? new CoppiceError('not-found', 'The client library has no such file. It begins at /sdk/coppice.js.')
    : new CoppiceError(
        'pages-not-built',
        'The client library has not been built. Run "pnpm build" and load this again.',
      );
}

function page(folder: string): Router {
  const router = built(folder);
  // With and without a slash at the end: both are what people type.
  router.get('/', (_request, response, next) => {
    const index = join(folder, 'index.html');
    if (!existsSync(index)) {
      next(
        new CoppiceError(
          'pages-not-built',
          'The pages have not been built. Run "pnpm build" and load this again.',
        ),
      );
      return;
    }
    response.setHeader('Cache-Control', 'no-cache');
    response.sendFile(index);
  });
  return router;
}

/** The files that Vite built into a folder. */
function built(folder: string): Router {
  const router = Router();
  // Vite names what it builds by content, so assets never go stale; the page itself must be fresh.
  router.use(
    '/assets',
    express.static(join(folder, 'assets'), { immutable: true, maxAge: '1y', index: false, redirect: false }),
  );
  router.use(
    express.static(folder, {
      cacheControl: false,
      redirect: false,
      setHeaders: (response) => response.setHeader('Cache-Control', 'no-cache'),
    }),
  );
  return router;
}
