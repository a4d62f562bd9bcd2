import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { CoppiceError } from '@coppice/protocol';
import express, { Router } from 'express';

/** Routes of the built pages: the client page at `/`, the admin page at `/admin`. */
export function pagesRouter(apps: string): Router {
  const router = Router();
  router.use('/admin', page(join(apps, 'admin', 'dist')));
  router.use('/', page(join(apps, 'client', 'dist')));
  return router;
}

function page(folder: string): Router {
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
