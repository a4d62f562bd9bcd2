import { remembered } from '../link/remembered.ts';

/** Goes up with every change of what one agrees to; an older agreement then no longer counts. */
export const CONSENT_VERSION = 4;

/** An agreement, as it is kept and as the receipt holds it. */
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
  /** What was on the page, word for word, in the language in which it was read. */
  readonly statements: readonly string[];
}

type Consents = Readonly<Record<string, Consent>>;

const kept = remembered<Consents>(
  'consent',
  {},
  (value): value is Consents => typeof value === 'object' && value !== null && !Array.isArray(value),
);

/** The agreement in force for a run, or null. */
export function consentTo(run: string | null, consents: Consents = kept.value.value): Consent | null {
  const consent: unknown = run !== null && Object.hasOwn(consents, run) ? consents[run] : null;
  return isConsent(consent) ? consent : null;
}

/** What is not whole, whoever wrote it there, is no agreement: one is asked anew. */
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

/** What one may keep as proof: the agreement with its time in words that any program reads. */
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
