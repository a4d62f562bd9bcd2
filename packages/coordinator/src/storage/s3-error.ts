import { CoppiceError, type ErrorCode } from '@coppice/protocol';

/** Object stores' names of a failure, with its code and its remedy. */
const causes: readonly { names: readonly string[]; code: ErrorCode; what: string; cure: string }[] = [
  {
    names: ['NoSuchBucket', 'InvalidBucketName'],
    code: 'storage-failed',
    what: 'there is no such bucket',
    cure: 'Create it, or name another with --blob-url; look at --s3-endpoint and --s3-region too.',
  },
  {
    names: [
      'InvalidAccessKeyId',
      'SignatureDoesNotMatch',
      'InvalidToken',
      'ExpiredToken',
      'InvalidClientTokenId',
      'CredentialsProviderError',
    ],
    code: 'storage-failed',
    what: 'it does not know the credentials',
    cure: 'Check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and, for temporary ones, AWS_SESSION_TOKEN.',
  },
  {
    names: ['RequestTimeTooSkewed'],
    code: 'storage-failed',
    what: 'the clocks differ too much',
    cure: 'Set the clock of this machine.',
  },
  {
    names: [
      'PermanentRedirect',
      'AuthorizationHeaderMalformed',
      'IllegalLocationConstraintException',
      '301',
      '307',
    ],
    code: 'storage-failed',
    what: 'the bucket is somewhere else',
    cure: 'Set AWS_REGION to its region, and look at --s3-endpoint.',
  },
  {
    names: ['QuotaExceeded', 'XMinioStorageFull', '507'],
    code: 'storage-full',
    what: 'it takes no more',
    cure: 'Make room, or raise its quota; what was stored before is unharmed.',
  },
];

/** An error's fields: from the server's response, or from Node where the connection failed. */
interface Thrown {
  readonly name?: string;
  readonly code?: string;
  readonly message?: string;
  readonly $metadata?: { readonly httpStatusCode?: number };
}

/** The name of a failure in S3 or Node, with its HTTP status. */
export function troubleOf(thrown: unknown): { name: string; status: number | null } {
  const { name = '', code, $metadata } = (thrown ?? {}) as Thrown;
  const status = $metadata?.httpStatusCode ?? null;
  return { name: status === null && code !== undefined ? code : name, status };
}

/**
 * Converts a failure of an object store or of the connection to it; a `CoppiceError` passes unchanged. The message
 * contains no credentials.
 *
 * @param where the bucket, and the server where it is not Amazon's.
 * @param writing true where the request was to change something.
 */
export function s3Error(thrown: unknown, where: string, writing: boolean): CoppiceError {
  if (thrown instanceof CoppiceError) return thrown;
  const { name, status } = troubleOf(thrown);
  const said = textOf(thrown, name, status);
  const known = causes.find(({ names }) => names.includes(name) || names.includes(String(status)));
  const fail = (code: ErrorCode, text: string) => new CoppiceError(code, text, { cause: thrown });
  if (known !== undefined)
    return fail(known.code, `${where} refused: ${known.what} (${said}). ${known.cure}`);
  if (status === 401 || status === 403)
    return fail(
      writing ? 'storage-read-only' : 'storage-failed',
      `${where} refused: these credentials may not ${writing ? 'write to' : 'read from'} it (${said}). Allow s3:ListBucket on the bucket, and s3:GetObject, s3:PutObject and s3:DeleteObject on what is in it.`,
    );
  if (status === null)
    return fail(
      'storage-failed',
      `${where} could not be reached: ${said}. Nothing was changed; check the address (--s3-endpoint), the network, and that the server runs.`,
    );
  return fail(
    'storage-failed',
    `${where} refused: ${said}. Nothing that was stored before is harmed; look at the server's own log.`,
  );
}

function textOf(thrown: unknown, name: string, status: number | null): string {
  const { message = '' } = (thrown ?? {}) as Thrown;
  // Several addresses of one host that all failed come as an AggregateError without a text of its own.
  const text =
    message === '' && thrown instanceof AggregateError ? String(thrown.errors[0]?.message) : message;
  return [
    ...(text.includes(name) ? [] : [name]),
    ...(status === null ? [] : [`HTTP ${status}`]),
    ...(text === '' ? [] : [text]),
  ]
    .join(', ')
    .replace(/\.$/, '');
}
