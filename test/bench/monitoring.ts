import { watchedExchange } from './monitoring-coordinator.ts';
import { deviceDay, predictionLoop } from './monitoring-device.ts';
import { driftPage } from './monitoring-pages.ts';
import { type BenchResult, byTurns, load, row } from './result.ts';
import { median } from './statistics.ts';

/*
 * The cost of watching a released model: a day of a device's predictions, a report exchange of many participants on the
 * coordinator, and a year of periods on the admin page. All in CPU time; turns of the event loop in that of its thread.
 */
const TURNS = 3;
const COLUMNS = 100;
const PARTICIPANTS = 10_000;
/** Seconds of a day. */
const DAY = 86_400;
const MEGABYTE = 1e6;

export async function measure(): Promise<BenchResult> {
  const before = load();
  const device = { 10: deviceDay(10), [COLUMNS]: deviceDay(COLUMNS) };
  const days = await byTurns(
    { 10: () => device[10].whole(), [COLUMNS]: () => device[COLUMNS].whole() },
    { turns: TURNS },
  );
  const loop = await predictionLoop();
  const one = await byTurns(
    { predict: () => loop.predict(), count: () => loop.count(), summarise: () => loop.summarise() },
    { turns: 3 * TURNS, warmUp: 3 },
  );
  loop.dispose();

  const exchanges = [];
  // The first one compiles what the others use.
  for (let turn = 0; turn <= TURNS; turn++) {
    const done = await watchedExchange(COLUMNS, turn === 0 ? 1000 : PARTICIPANTS);
    if (turn > 0) exchanges.push(done);
  }
  const page = await driftPage(COLUMNS);
  const pages = [];
  for (let turn = 0; turn <= TURNS; turn++) {
    const done = await page.read();
    if (turn > 0) pages.push(done);
  }
  await page.close();

  const of = <T>(all: readonly T[], value: (one: T) => number) => all.map(value);
  const seconds = (name: '10' | '100') => (days[name] as number[]).map((each) => each / 1000);
  const layoutBytes = 8 * (exchanges[0]?.numbers ?? 0);
  const after = median(of(exchanges, ({ memory }) => memory.after));
  const longest = Math.max(...of(exchanges, ({ longest: turn }) => Math.max(turn.reference, turn.reports)));
  const share = (name: '10' | '100') => median(seconds(name)) / DAY;
  return {
    name: `Monitoring: 10,000 predictions a day, ${PARTICIPANTS} reports of ${COLUMNS} columns`,
    load: { before, after: load() },
    rows: [
      row('device: a day of 10,000 predictions and outcomes, 10 columns', seconds('10'), 's'),
      row(`the same, ${COLUMNS} columns`, seconds('100'), 's'),
      row('device: kept state, 10 columns', [device[10].bytes() / 1000], 'kB'),
      row(`device: kept state, ${COLUMNS} columns`, [device[COLUMNS].bytes() / 1000], 'kB'),
      row('device: a prediction of mnist-2nn', one['predict'], 'µs'),
      row('device: a prediction counted, its features included', one['count'], 'µs'),
      row('device: a report of mnist-2nn', one['summarise'], 'µs'),
      row(
        `coordinator: ${PARTICIPANTS} reports summed and judged`,
        of(exchanges, ({ cpu }) => cpu / 1000),
        's',
      ),
      row(
        'coordinator: longest turn while reports come, and at their end',
        of(exchanges, ({ longest: { reports } }) => reports),
        'ms',
      ),
      row(
        'coordinator: longest turn while a reference is made',
        of(exchanges, ({ longest: { reference } }) => reference),
        'ms',
      ),
      row(
        'coordinator: memory of an open exchange, for each participant',
        of(exchanges, ({ memory }) => memory.each),
        'B',
      ),
      row(
        'coordinator: memory that stays of the participants, once all are asked anew',
        of(exchanges, ({ memory }) => memory.after / PARTICIPANTS),
        'B each',
      ),
      row(
        `admin: a year of daily periods, ${COLUMNS} columns`,
        of(pages, ({ cpu }) => cpu / 1000),
        's',
      ),
      row(
        'admin: longest turn meanwhile',
        of(pages, ({ longest: turn }) => turn),
        'ms',
      ),
    ],
    ratios: [
      { what: 'device: share of one core, 10 columns', value: share('10'), aim: { atMost: 0.01 } },
      { what: `device: share of one core, ${COLUMNS} columns`, value: share('100'), aim: { atMost: 0.01 } },
      {
        what: `device: kept state / 1 MB, ${COLUMNS} columns`,
        value: device[COLUMNS].bytes() / MEGABYTE,
        aim: { atMost: 1 },
      },
      {
        what: 'device: counting / predicting, mnist-2nn',
        value: median(one['count'] as number[]) / median(one['predict'] as number[]),
        aim: { atMost: 0.2 },
      },
      {
        what: 'coordinator: seconds of CPU of the reports',
        value: median(of(exchanges, ({ cpu }) => cpu / 1000)),
        aim: { atMost: 5 },
      },
      {
        what: 'coordinator: memory that stays / all reports',
        value: Math.max(0, after) / (PARTICIPANTS * layoutBytes),
        aim: { atMost: 0.05 },
      },
      { what: 'coordinator: longest turn of all / 50 ms', value: longest / 50, aim: { atMost: 1 } },
      {
        what: 'admin: seconds of CPU of a year',
        value: median(of(pages, ({ cpu }) => cpu / 1000)),
        aim: { atMost: 2 },
      },
      {
        what: 'admin: longest turn / 50 ms',
        value: Math.max(...of(pages, ({ longest: turn }) => turn)) / 50,
        aim: { atMost: 1 },
      },
    ],
  };
}
