/** A schedule in UTC: the minutes, hours, days and months in which it is due. */
export interface Schedule {
  readonly minutes: readonly number[];
  readonly hours: readonly number[];
  readonly months: readonly number[];
  /** True for a day of the month and of the week (0: Sunday) on which it is due. */
  isDay(ofMonth: number, ofWeek: number): boolean;
}

const DAY = 86_400_000;

/** Days looked ahead: leap days can be eight years apart. */
const HORIZON = 366 * 9;

/**
 * Reads the five fields of a cron line: minute, hour, day of the month, month, day of the week (0 or 7: Sunday). A field is `*`,
 * numbers, ranges `a-b` and steps `/n`, separated by commas. Where both kinds of days are restricted, either makes a day due, as
 * in POSIX.
 *
 * @returns `null` where the line is none.
 */
export function parseCron(line: string): Schedule | null {
  const fields = line.trim().split(/\s+/);
  if (fields.length !== 5) return null;
  const [minute, hour, day, month, weekday] = fields as [string, string, string, string, string];
  const [minutes, hours] = [numbersOf(minute, 0, 59), numbersOf(hour, 0, 23)];
  const [days, months, week] = [numbersOf(day, 1, 31), numbersOf(month, 1, 12), numbersOf(weekday, 0, 7)];
  if (minutes === null || hours === null || days === null || months === null || week === null) return null;
  const ofWeek = new Set(week.map((one) => one % 7));
  const either = !day.startsWith('*') && !weekday.startsWith('*');
  return {
    minutes,
    hours,
    months,
    isDay: (inMonth, inWeek) =>
      either ? days.includes(inMonth) || ofWeek.has(inWeek) : days.includes(inMonth) && ofWeek.has(inWeek),
  };
}

/**
 * The first time after another at which a schedule is due, in milliseconds since 1970.
 *
 * @returns `null` where it is never due.
 */
export function dueAfter({ minutes, hours, months, isDay }: Schedule, after: number): number | null {
  const today = Math.floor(after / DAY) * DAY;
  for (let days = 0; days < HORIZON; days++) {
    const midnight = today + days * DAY;
    const date = new Date(midnight);
    if (!months.includes(date.getUTCMonth() + 1) || !isDay(date.getUTCDate(), date.getUTCDay())) continue;
    for (const hour of hours)
      for (const minute of minutes) {
        const due = midnight + (hour * 60 + minute) * 60_000;
        if (due > after) return due;
      }
  }
  return null;
}

/** The numbers of a field, ascending; `null` where it is none. */
function numbersOf(field: string, least: number, most: number): number[] | null {
  const numbers = new Set<number>();
  for (const part of field.split(',')) {
    const match = /^(?:(\*)|(\d{1,2})(?:-(\d{1,2}))?)(?:\/(\d{1,2}))?$/.exec(part);
    if (match === null) return null;
    const [, all, from, to, step = '1'] = match;
    const first = all === undefined ? Number(from) : least;
    // `a/n` goes on to the end, as in every cron.
    const last =
      all !== undefined || (to === undefined && match[4] !== undefined) ? most : Number(to ?? from);
    if (first < least || last > most || first > last || Number(step) === 0) return null;
    for (let number = first; number <= last; number += Number(step)) numbers.add(number);
  }
  return [...numbers].sort((a, b) => a - b);
}
