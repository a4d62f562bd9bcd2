import { remembered } from '../link/remembered.ts';

/** Version of the agreement's content; raised with every change, which invalidates older agreements. */
export const CONSENT_VERSION = 4;

/** An agreement, as stored and as in the receipt. */
export interface Consent {
  readonly version: number;
  readonly run: string;
  readonly task: string;
  readonly title: string;
  readonly operator: string;
  readonly origin: string;
  /** Milliseconds since the epoch. */
  readonly agreedAt: number;
  readonly language: string;
  /** The statements on the page, verbatim, in the language in which they were read. */
  readonly statements: readonly string[];
}

type Consents = Readonly<Record<string, Consent>>;

const kept = remembered<Consents>(
  'consent',
  {},
  (value): value is Consents => typeof value === 'object' && value !== null && !Array.isArray(value),
);

/** The valid agreement to a run, or null. */
export function consentTo(run: string | null, consents: Consents = kept.value.value): Consent | null {
  const consent: unknown = run !== null && Object.hasOwn(consents, run) ? consents[run] : null;
  return isConsent(consent) ? consent : null;
}

/** Validates a stored agreement. An invalid one, from any writer, is none, and the person is asked again. */
function isConsent(value: unknown): value is Consent {
  const consent = (value ?? {}) as { readonly [K in keyof Consent]?: unknown };
  const texts = [
    consent.run,
    consent.task,
    consent.title,
    consent.operator,
    consent.origin,
    consent.language,
  ];
  return (
    consent.version === CONSENT_VERSION &&
    texts.every((text) => typeof text === 'string') &&
    typeof consent.agreedAt === 'number' &&
    !Number.isNaN(new Date(consent.agreedAt).getTime()) &&
    Array.isArray(consent.statements) &&
    consent.statements.every((statement) => typeof statement === 'string')
  );
}

export function agree(consent: Omit<Consent, 'version'>): void {
  kept.set({ ...kept.value.value, [consent.run]: { ...consent, version: CONSENT_VERSION } });
}

export function withdraw(run: string): void {
  const { [run]: _gone, ...others } = kept.value.value;
  kept.set(others);
}

/** The receipt of an agreement, for the person to keep: plain text, with the time in words. */
export function receipt(consent: Consent): string {
  const { agreedAt, ...rest } = consent;
  const document = {
    kind: 'coppice-consent-receipt',
    ...rest,
    agreedAt: new Date(agreedAt).toISOString(),
    withdraw: 'Withdraw on the same page at any time. Updates that were already averaged stay counted.',
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}
