import { signal } from '@preact/signals';

/** The languages of the pages. */
export type Language = 'en' | 'zh';
export const languages: readonly { readonly code: Language; readonly name: string }[] = [
  { code: 'en', name: 'English' },
  { code: 'zh', name: '中文' },
];

const STORED = 'coppice.language';

/** The current language. A component that reads it rerenders when it changes. */
export const language = signal<Language>(preferred());

/** A text, or a function from values to a text; the same in both languages. */
export type Message = string | ((...values: never[]) => string);
/** Requires every key of English, with the same values, at compile time. */
export type Translation<T extends Record<string, Message>> = {
  readonly [K in keyof T]: T[K] extends string ? string : T[K];
};

/**
 * A typed catalogue.
 *
 * @example
 * const text = catalogue({ hello: (name: string) => `Hello, ${name}` }, { hello: (name) => `你好，${name}` });
 * text().hello('Ada');
 */
export function catalogue<T extends Record<string, Message>>(
  en: T,
  zh: Translation<T>,
): () => Translation<T> {
  // English has its own keys and values, so it is a translation of itself; the compiler cannot see it.
  return () => (language.value === 'zh' ? zh : (en as Translation<T>));
}

export function setLanguage(code: Language): void {
  language.value = code;
  document.documentElement.lang = langTag(code);
  try {
    localStorage.setItem(STORED, code);
  } catch {
    // Storage may be forbidden; the choice then lasts as long as the page.
  }
}

/** Sets `<html lang>` at the start of a page. */
export function startLanguage(): void {
  document.documentElement.lang = langTag(language.value);
}

/** The text of a task or plan field in the current language; English where it has no other. */
export function localized(text: { readonly en: string; readonly zh?: string | undefined }): string {
  return (language.value === 'zh' ? text.zh : undefined) ?? text.en;
}

export function formatNumber(value: number, options: Intl.NumberFormatOptions = {}): string {
  return new Intl.NumberFormat(langTag(language.value), options).format(value);
}

/** A share 0–1 as a percentage. */
export function formatShare(value: number, digits = 1): string {
  return formatNumber(value, {
    style: 'percent',
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
}

/** Bytes in units of 1000, with three significant digits. */
export function formatBytes(bytes: number): string {
  const units = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte'] as const;
  const step = Math.max(0, Math.min(units.length - 1, Math.floor(Math.log10(Math.max(1, bytes)) / 3)));
  return formatNumber(bytes / 1000 ** step, {
    style: 'unit',
    unit: units[step] as string,
    unitDisplay: step === 0 ? 'long' : 'short',
    maximumSignificantDigits: 3,
  });
}

/** A time of day, with seconds. */
export function formatTime(milliseconds: number): string {
  return new Intl.DateTimeFormat(langTag(language.value), { timeStyle: 'medium' }).format(milliseconds);
}

export function formatDateTime(milliseconds: number): string {
  return new Intl.DateTimeFormat(langTag(language.value), { dateStyle: 'medium', timeStyle: 'short' }).format(
    milliseconds,
  );
}

/** A length of time in its two largest units, e.g. "3 min 20 sec". */
export function formatDuration(milliseconds: number): string {
  const seconds = Math.max(0, Math.round(milliseconds / 1000));
  const part = (value: number, unit: 'hour' | 'minute' | 'second') =>
    formatNumber(value, { style: 'unit', unit, unitDisplay: 'short' });
  if (seconds < 60) return part(seconds, 'second');
  if (seconds < 3600) return `${part(Math.floor(seconds / 60), 'minute')} ${part(seconds % 60, 'second')}`;
  return `${part(Math.floor(seconds / 3600), 'hour')} ${part(Math.floor((seconds % 3600) / 60), 'minute')}`;
}

function langTag(code: Language): string {
  return code === 'zh' ? 'zh-CN' : 'en';
}

function preferred(): Language {
  try {
    const stored = localStorage.getItem(STORED);
    if (stored === 'en' || stored === 'zh') return stored;
  } catch {
    // As above.
  }
  const wanted = typeof navigator === 'undefined' ? [] : (navigator.languages ?? [navigator.language]);
  for (const tag of wanted) {
    if (/^zh\b/i.test(tag)) return 'zh';
    if (/^en\b/i.test(tag)) return 'en';
  }
  return 'en';
}
