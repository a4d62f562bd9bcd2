/**
 * The code of every failure that a person or a program can meet, each with a page in `docs/errors`. Codes are part of
 * the wire and of dashboards: a code is never renamed, only retired.
 *
 * `retry` tells the receiver what to do next:
 * - `never`: the same call fails again; change something first.
 * - `later`: the same call may work after a while.
 * - `with-current-model`: discard the work, take the current model, go on.
 * - `join`: join the run, then the same call may work.
 * - `reload`: the program is too old; load it anew.
 */
export const errorCodes = {
  // the connection
  'protocol-too-old': 'reload',
  'protocol-too-new': 'later',
  'identity-invalid': 'never',
  'identity-unproven': 'never',
  'session-replaced': 'never',
  'too-many-connections': 'later',
  'too-many-identities': 'later',
  'rate-limited': 'later',
  'message-invalid': 'never',
  'message-unknown': 'never',
  'too-many-offences': 'later',
  'coordinator-starting': 'later',
  'coordinator-stopping': 'later',
  // runs and rounds
  'run-unknown': 'never',
  'run-ended': 'never',
  'run-state': 'never',
  'run-given-up': 'never',
  'run-not-admitted': 'never',
  'plan-unsupported': 'reload',
  'invitation-invalid': 'never',
  'participant-banned': 'never',
  'task-unknown': 'never',
  'task-invalid': 'never',
  'task-exists': 'never',
  'model-invalid': 'never',
  'weights-invalid': 'never',
  'export-unsupported': 'never',
  'plan-invalid': 'never',
  'checkpoint-unknown': 'never',
  'checkpoint-mismatch': 'never',
  'release-conflict': 'never',
  'release-refused': 'never',
  'policy-invalid': 'never',
  'policy-conflict': 'never',
  'firing-refused': 'later',
  'quorum-lost': 'later',
  // updates
  'not-joined': 'join',
  'ticket-invalid': 'with-current-model',
  'update-late': 'with-current-model',
  'update-stale': 'with-current-model',
  'update-not-selected': 'with-current-model',
  'update-duplicate': 'never',
  'update-shape': 'never',
  'update-not-finite': 'never',
  'update-out-of-range': 'never',
  'update-examples': 'never',
  'update-not-offered': 'later',
  'update-norm': 'never',
  'update-measure': 'never',
  'frame-invalid': 'later',
  'frame-too-large': 'never',
  // reports
  'consent-outdated': 'never',
  'report-mismatch': 'never',
  // the participant's own side; storage may be full on either side
  'data-empty': 'never',
  'data-invalid': 'never',
  'storage-full': 'never',
  'camera-denied': 'never',
  'camera-missing': 'never',
  'camera-failed': 'later',
  'training-diverged': 'later',
  'backend-lost': 'later',
  'backend-unavailable': 'never',
  'already-training': 'never',
  'connection-lost': 'later',
  // the coordinator's own side
  'config-invalid': 'never',
  unauthorized: 'never',
  forbidden: 'never',
  'cross-site-request': 'never',
  'host-unknown': 'never',
  'login-refused': 'never',
  'too-many-attempts': 'later',
  'password-too-short': 'never',
  'admin-name-taken': 'never',
  'admin-unknown': 'never',
  'admin-invitation-invalid': 'never',
  'last-owner': 'never',
  'not-found': 'never',
  'body-invalid': 'never',
  'storage-failed': 'later',
  'storage-corrupt': 'never',
  'storage-read-only': 'never',
  'storage-locked': 'later',
  'storage-too-new': 'never',
  'evaluation-failed': 'later',
  'pages-not-built': 'never',
  internal: 'later',
} as const;

export type ErrorCode = keyof typeof errorCodes;
export type Retry = (typeof errorCodes)[ErrorCode];
export const retries = [
  'never',
  'later',
  'with-current-model',
  'join',
  'reload',
] as const satisfies readonly Retry[];

export function isErrorCode(word: unknown): word is ErrorCode {
  return typeof word === 'string' && Object.hasOwn(errorCodes, word);
}

function isRetry(word: unknown): word is Retry {
  return retries.some((retry) => retry === word);
}

export const errorCodeList = Object.keys(errorCodes) as [ErrorCode, ...ErrorCode[]];

/** Codes that stay on the device or with the operator. They are never sent, so adding one does not change the wire. */
const neverSent: ReadonlySet<ErrorCode> = new Set([
  'coordinator-starting',
  'camera-denied',
  'camera-missing',
  'camera-failed',
  'weights-invalid',
  'export-unsupported',
  'checkpoint-mismatch',
  'release-conflict',
  'release-refused',
  'policy-invalid',
  'policy-conflict',
  'firing-refused',
  'storage-read-only',
  'storage-locked',
  'storage-too-new',
  'forbidden',
  'cross-site-request',
  'host-unknown',
  'login-refused',
  'too-many-attempts',
  'password-too-short',
  'admin-name-taken',
  'admin-unknown',
  'admin-invitation-invalid',
  'last-owner',
]);

/** Codes sent in place of ones that stay with the operator, for the reason of a round's end. */
const sentAs: Partial<Record<ErrorCode, ErrorCode>> = {
  'storage-read-only': 'storage-failed',
  'storage-locked': 'storage-failed',
  'storage-too-new': 'storage-failed',
};

/** The codes that a message may carry. */
export const sentErrorCodes = errorCodeList.filter((code) => !neverSent.has(code)) as [
  ErrorCode,
  ...ErrorCode[],
];

/** An error on the wire. */
export interface WireError {
  readonly code: ErrorCode;
  /** One or two sentences of English: the event, its meaning, and the remedy. */
  readonly message: string;
  /** The next action, for programs that do not know the code. */
  readonly retry?: Retry | undefined;
  /** Milliseconds to wait before another attempt, where known. */
  readonly retryAfter?: number | undefined;
}

/**
 * The one error class of Coppice. `message` states the event, its meaning and the remedy; `docs/errors/<code>.md` has
 * the details.
 *
 * @example
 * throw new CoppiceError('run-unknown', `There is no run "${id}". Open the page again to see the runs there are.`);
 */
export class CoppiceError extends Error {
  override readonly name = 'CoppiceError';
  readonly code: ErrorCode;
  /** The next action. */
  readonly retry: Retry;
  /** Milliseconds to wait before another attempt; `null`: unknown. */
  readonly retryAfter: number | null;

  constructor(
    code: ErrorCode,
    message: string,
    options: { cause?: unknown; retry?: Retry | undefined; retryAfter?: number | undefined } = {},
  ) {
    super(message, options);
    this.code = code;
    this.retry = options.retry ?? errorCodes[code];
    this.retryAfter = options.retryAfter ?? null;
  }

  toWire(): WireError {
    const { message, retry, retryAfter } = this;
    const code = sentAs[this.code] ?? this.code;
    return { code, message, retry, ...(retryAfter === null ? {} : { retryAfter }) };
  }

  static fromWire({ code, message, retry, retryAfter }: WireError): CoppiceError {
    return new CoppiceError(code, message, { retry, retryAfter });
  }

  /**
   * Reads an error from an answer of another program: a proxy, an older or a newer coordinator. An unknown code becomes
   * `internal`, with the answer's `retry`.
   */
  static fromAnswer(answer: unknown): CoppiceError {
    const { code, message, retry, retryAfter } = (answer ?? {}) as { [field in keyof WireError]?: unknown };
    if (typeof message === 'string' && (isErrorCode(code) || isRetry(retry)))
      return new CoppiceError(isErrorCode(code) ? code : 'internal', message, {
        retry: isRetry(retry) ? retry : undefined,
        retryAfter: typeof retryAfter === 'number' && retryAfter >= 0 ? retryAfter : undefined,
      });
    return new CoppiceError(
      'internal',
      'The coordinator, or a proxy before it, refused without saying why. Its log may say more.',
    );
  }

  /** Wraps any thrown value once: a `CoppiceError` passes through unchanged. */
  static from(thrown: unknown, code: ErrorCode = 'internal'): CoppiceError {
    if (thrown instanceof CoppiceError) return thrown;
    return new CoppiceError(code, textOf(thrown), { cause: thrown });
  }
}

function textOf(thrown: unknown): string {
  try {
    return String(thrown instanceof Error ? thrown.message : thrown);
  } catch {
    // An object that cannot be made a text of.
    return 'Something was thrown that says nothing about itself.';
  }
}
