import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Browser } from 'playwright-core';
import { build } from 'vite';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { launchBrowser, person } from '../browser/launch.ts';
import { startWorld, trained, type World } from './world.ts';

/* The tarball of packages/client, in an empty Vite project and in a plain page, both on another origin than the coordinator. */

const library = fileURLToPath(new URL('../../packages/client', import.meta.url));
const programs = fileURLToPath(new URL('../../node_modules/.bin', import.meta.url));
const types: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.wasm': 'application/wasm',
};
const run = promisify(execFile);

let world: World;
let browser: Browser;
let folder: string;
const servers: Server[] = [];

beforeAll(async () => {
  world = await startWorld();
  browser = await launchBrowser();
  folder = mkdtempSync(join(tmpdir(), 'coppice-packed-'));
  await trained(world, 'iris', 30);

  // The library is built before tests begin; other tests use it meanwhile, so that it is not built anew.
  const { stdout } = await run('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', folder], {
    cwd: library,
  });
  const [{ filename }] = JSON.parse(stdout);
  writeFileSync(
    join(folder, 'package.json'),
    JSON.stringify({
      private: true,
      type: 'module',
      dependencies: { '@coppice/client': `file:${filename}` },
    }),
  );
  await run('npm', ['install', '--offline', '--no-audit', '--no-fund', '--ignore-scripts'], { cwd: folder });
});
afterAll(async () => {
  await browser?.close();
  for (const server of servers) server.close();
  await world?.close();
  rmSync(folder, { recursive: true, force: true });
});

/** A server of files on an origin of its own. */
async function serve(root: string): Promise<string> {
  const server = createServer((request, response) => {
    const path = new URL(request.url ?? '/', 'http://elsewhere').pathname;
    try {
      const body = readFileSync(join(root, path === '/' ? 'index.html' : path));
      response.setHeader('content-type', types[extname(path)] ?? 'text/html');
      response.end(body);
    } catch {
      response.writeHead(404).end();
    }
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const FLOWER = { 'sepal length': 6.3, 'sepal width': 2.9, 'petal length': 5.6, 'petal width': 1.8 };
/** A program that shows one prediction. */
const program = (from: string) => `
import { connect } from '${from}';
const client = connect({ url: '${world.url}', task: 'iris', channel: 'latest' });
client.predict(${JSON.stringify(FLOWER)}).then(
  (prediction) => { if ('classes' in prediction) document.body.textContent = JSON.stringify(prediction.classes); },
  (error) => { document.body.textContent = error.message; },
);
`;
const page = (script: string) =>
  `<!doctype html><html lang="en"><head><title>A flower</title><link rel="icon" href="data:," /></head><body></body>${script}</html>`;

/** What a page shows once it has predicted. */
async function shownAt(address: string): Promise<{ name: string; probability: number }[]> {
  const { page: at, context, problems } = await person(browser);
  await at.goto(address);
  await expect.poll(() => at.locator('body').textContent(), { timeout: 60_000 }).toMatch(/^\[/);
  const shown = JSON.parse((await at.locator('body').textContent()) ?? '');
  expect(problems).toEqual([]);
  await context.close();
  return shown;
}

it('is all that a Vite project and a plain page need to predict', async () => {
  const { dependencies = {} } = JSON.parse(
    readFileSync(join(folder, 'node_modules/@coppice/client/package.json'), 'utf8'),
  );
  expect(dependencies).toEqual({});

  const project = join(folder, 'project');
  mkdirSync(project);
  writeFileSync(join(project, 'index.html'), page('<script type="module" src="/main.ts"></script>'));
  writeFileSync(join(project, 'main.ts'), program('@coppice/client'));
  writeFileSync(
    join(project, 'tsconfig.json'),
    JSON.stringify({
      compilerOptions: {
        strict: true,
        noEmit: true,
        module: 'esnext',
        moduleResolution: 'bundler',
        types: [],
      },
      include: ['main.ts'],
    }),
  );
  await run(join(programs, 'tsc'), ['-p', project]);
  await build({ root: project, configFile: false, logLevel: 'error' });
  const bundled = await shownAt(await serve(join(project, 'dist')));

  const site = join(folder, 'node_modules/@coppice/client/dist');
  writeFileSync(join(site, 'index.html'), page(`<script type="module">${program('./coppice.js')}</script>`));
  const plain = await shownAt(await serve(site));

  expect(plain.map(({ name }) => name)).toEqual(['setosa', 'versicolor', 'virginica']);
  expect(plain.reduce((sum, { probability }) => sum + probability, 0)).toBeCloseTo(1, 5);
  expect(bundled).toEqual(plain);
});
