import { mkdirSync } from 'node:fs';
import { launchBrowser, person } from '../browser/launch.ts';
import { periodOf, storeFirings, wholePolicy } from './monitored.ts';
import { ADMIN_KEY, headless, startWorld } from './world.ts';
mkdirSync('/tmp/shots', { recursive: true });
const world = await startWorld();
const plan = { rounds: 2, minParticipants: 2, overSelection: 1, quorum: 1 };
const { id } = await world.coordinator.runs.create('iris', plan, true);
const finished = new Promise<void>((resolve) => world.coordinator.runs.subscribe({ runChanged: (run) => { if (run === id && world.coordinator.runs.get(run).status === 'finished') resolve(); }, participantsChanged: () => {}, roundChanged: () => {} }));
const sessions = await headless(world.url, id, { count: 2, examples: 30, task: 'iris' });
await finished;
for (const s of sessions) s.close();
const now = Date.now() - 364 * 86400000;
const columns = ['Sepal length', 'Sepal width', 'Petal length', 'Petal width', ...Array.from({ length: 96 }, (_, i) => `sensor ${i}`)];
for (let n = 0; n < 365; n++)
  await world.coordinator.storage.addPeriod(periodOf(n, { columns, now, drifted: n === 361 || n === 362 || n === 364 ? ['Petal length', 'sensor 7'] : n === 120 ? ['sensor 4'] : [], broken: n === 364 ? 'Petal width' : undefined }));
await world.coordinator.storage.addPeriod({ ...periodOf(365, { columns, now }), reports: 2, sums: null, verdict: null });
await world.coordinator.releases.move('iris', 'production', { checkpoint: `${id}/1`, expected: null, reason: 'The first one.', by: { by: 'admin', name: 'Ada' } });
await storeFirings(world.coordinator, id, 362);
const key = { authorization: `Bearer ${ADMIN_KEY}`, 'content-type': 'application/json' };
const put = await fetch(`${world.url}/api/tasks/iris/policy`, { method: 'PUT', headers: key, body: JSON.stringify({ expected: null, policy: wholePolicy }) });
console.log('policy', put.status, (await put.text()).slice(0, 200));
const browser = await launchBrowser();
for (const [name, options] of Object.entries({
  en: { viewport: { width: 1280, height: 900 } },
  zh: { locale: 'zh-CN', colorScheme: 'dark' as const, viewport: { width: 390, height: 844 } },
})) {
  if (process.argv[2] && process.argv[2] !== name) continue;
  const { page, problems, context } = await person(browser, options);
  context.setDefaultTimeout(15000);
  await page.route('**/api/tasks/*/watch', (r) => r.fulfill({ json: r.request().url().includes('/iris/') ? { task: 'iris', state: 'reports', consent: 'ab'.repeat(32), periodMilliseconds: 86400000, minimum: 20, privacy: null, release: { sequence: 1, checkpoint: `${id}/1`, hash: 'ab'.repeat(32) }, reference: null } : { task: 'x', state: 'off', consent: null, periodMilliseconds: null, minimum: null, privacy: null, release: null, reference: null } }));
  await page.goto(`${world.url}/admin?key=${ADMIN_KEY}`);
  await page.getByTestId('launch').waitFor();
  await page.getByTestId('monitoring').click();
  await page.getByTestId('monitoring-iris').waitFor();
  await page.waitForTimeout(500);
  await page.screenshot({ path: `/tmp/shots/${name}-tasks.png`, fullPage: true });
  const t = performance.now();
  await page.getByTestId('monitoring-iris').click();
  await page.getByTestId('period').waitFor();
  console.log(name, 'drift opened in', Math.round(performance.now() - t), 'ms');
  await page.waitForTimeout(800);
  await page.getByTestId('meaning').locator('summary').click();
  await page.screenshot({ path: `/tmp/shots/${name}-drift.png`, fullPage: true });
  const h = await page.evaluate(() => document.documentElement.scrollHeight);
  const step = name === 'en' ? 1500 : 1700;
  for (let y = 0, i = 0; y < h; y += step, i++) await page.screenshot({ path: `/tmp/shots/${name}-d${i}.png`, fullPage: true, clip: { x: 0, y, width: name === 'en' ? 1280 : 390, height: Math.min(step, h - y) } });
  console.log('overflow', await page.evaluate(() => document.documentElement.scrollWidth - innerWidth));
  await page.getByTestId('policy-link').click();
  await page.getByTestId('policy-form').waitFor();
  await page.waitForTimeout(300);
  await page.screenshot({ path: `/tmp/shots/${name}-policy.png`, fullPage: true });
  console.log('overflow', await page.evaluate(() => document.documentElement.scrollWidth - innerWidth));
  console.log(problems);
  await context.close();
}
await browser.close();
await world.close();
process.exit(0);
