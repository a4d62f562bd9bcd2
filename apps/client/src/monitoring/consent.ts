import { remembered } from '../link/remembered.ts';

/** A person's consent to reports on one task, as it is kept in this browser. */
export interface MonitoringConsent {
  /** The version of what is reported (`WatchInfo.consent`). Another one asks again. */
  readonly version: string;
  /** Whether inputs of predictions are kept until they are corrected: a consent of its own. */
  readonly keepInputs: boolean;
  /** Milliseconds since the epoch. */
  readonly agreedAt: number;
  /** The statements on the page, verbatim, in the language in which they were read. */
  readonly statements: readonly string[];
}

type Consents = Readonly<Record<string, MonitoringConsent>>;

const kept = remembered<Consents>(
  'monitoring',
  {},
  (value): value is Consents => typeof value === 'object' && value !== null && !Array.isArray(value),
);

/** The consent to reports on a task; `null` where there is none, or what was kept cannot be read. */
export function monitoringConsent(
  task: string | null,
  consents: Consents = kept.value.value,
): MonitoringConsent | null {
  const consent: unknown = task !== null && Object.hasOwn(consents, task) ? consents[task] : null;
  return isConsent(consent) ? consent : null;
}

function isConsent(value: unknown): value is MonitoringConsent {
  const { version, keepInputs, agreedAt, statements } = (value ?? {}) as {
    readonly [K in keyof MonitoringConsent]?: unknown;
  };
  return (
    typeof version === 'string' &&
    typeof keepInputs === 'boolean' &&
    typeof agreedAt === 'number' &&
    Array.isArray(statements) &&
    statements.every((one) => typeof one === 'string')
  );
}

export function agreeToMonitoring(task: string, consent: MonitoringConsent): void {
  kept.set({ ...kept.value.value, [task]: consent });
}

export function withdrawMonitoring(task: string): void {
  const { [task]: _gone, ...others } = kept.value.value;
  kept.set(others);
}
