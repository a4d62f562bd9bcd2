import { execFileSync, spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, join } from 'node:path';
import { chromium } from 'playwright-core';

const names = [
  'chromium',
  'chromium-browser',
  'google-chrome',
  'google-chrome-stable',
  'chrome',
  'microsoft-edge',
];
const places = [
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
];

/**
 * Finds a Chromium for tests: `COPPICE_CHROMIUM`, one on this machine, one that Playwright downloaded or can download,
 * or, on Debian as root, the package.
 *
 * @throws Error with instructions where none of these works.
 */
export function findChromium(): string {
  return installed() ?? fromPlaywright() ?? fromDebian() ?? fail();
}

function installed(): string | null {
  const { COPPICE_CHROMIUM: given, PATH: path = '' } = process.env;
  if (given !== undefined && given !== '') {
    if (runs(given)) return given;
    throw new Error(`COPPICE_CHROMIUM is ${given}, which cannot be run. Point it at a Chromium or Chrome.`);
  }
  const onPath = path.split(delimiter).flatMap((folder) => names.map((name) => join(folder, name)));
  return [...onPath, ...places, chromium.executablePath()].find(runs) ?? null;
}

function fromPlaywright(): string | null {
  process.stdout.write('No Chromium on this machine; asking Playwright for its own …\n');
  const cli = join(createRequire(import.meta.url).resolve('playwright-core/package.json'), '..', 'cli.js');
  spawnSync(process.execPath, [cli, 'install', 'chromium'], { stdio: 'ignore', timeout: 300_000 });
  return runs(chromium.executablePath()) ? chromium.executablePath() : null;
}

function fromDebian(): string | null {
  if (!existsSync('/etc/debian_version') || process.getuid?.() !== 0) return null;
  process.stdout.write("Playwright's download did not work; installing Debian's chromium …\n");
  try {
    execFileSync('apt-get', ['update', '-qq'], { stdio: 'ignore' });
    execFileSync(
      'apt-get',
      ['install', '-y', '-qq', '--no-install-recommends', 'chromium', 'fonts-noto-cjk'],
      {
        stdio: 'ignore',
        env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
      },
    );
  } catch {
    return null;
  }
  return runs('/usr/bin/chromium') ? '/usr/bin/chromium' : null;
}

function runs(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function fail(): never {
  throw new Error(
    'The browser tests need Chromium, and none could be found or installed. Do one of these and run the tests again:\n' +
      '  - install Chromium or Chrome (Debian and Ubuntu: sudo apt-get install chromium);\n' +
      '  - set COPPICE_CHROMIUM to the path of one you have;\n' +
      '  - run only what needs no browser: pnpm test:unit.',
  );
}
