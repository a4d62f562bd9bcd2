import { CoppiceError } from '@coppice/protocol';
import type { Config } from '../config.ts';

/** Location of a bucket, with credentials. */
export interface S3Settings {
  readonly bucket: string;
  /** Prefix of all object names: empty, or ends with a slash. */
  readonly prefix: string;
  /** Null: Amazon's own. */
  readonly endpoint: string | null;
  readonly region: string;
  /**
   * True where the bucket's name is part of the host's, false where it is part of the path. Amazon requires the first;
   * most others use the second.
   */
  readonly virtualHost: boolean;
  /** Null: the machine's own (a role of the instance or container, a profile of the user). */
  readonly credentials: {
    readonly accessKeyId: string;
    readonly secretAccessKey: string;
    readonly sessionToken: string | null;
  } | null;
}

/** The part of the configuration that locates weights. */
export type BlobPlace = Pick<
  Config,
  | 'blobUrl'
  | 's3Endpoint'
  | 's3Region'
  | 's3VirtualHost'
  | 's3AccessKeyId'
  | 's3SecretAccessKey'
  | 's3SessionToken'
>;

/**
 * @returns `null` where weights are stored as files.
 * @throws CoppiceError `config-invalid` where options conflict.
 */
export function s3Settings(place: BlobPlace): S3Settings | null {
  if (place.blobUrl === null) return null;
  const [bucket = '', ...folders] = place.blobUrl.slice('s3://'.length).split('/');
  const prefix = folders.filter((folder) => folder !== '').map((folder) => `${folder}/`);
  const { s3AccessKeyId: id, s3SecretAccessKey: secret } = place;
  if ((id === null) !== (secret === null))
    throw new CoppiceError(
      'config-invalid',
      `${id === null ? 'AWS_SECRET_ACCESS_KEY' : 'AWS_ACCESS_KEY_ID'} is given without ${id === null ? 'AWS_ACCESS_KEY_ID' : 'AWS_SECRET_ACCESS_KEY'}. Give both, or neither to use the role or profile that this machine has.`,
    );
  return {
    bucket,
    prefix: prefix.join(''),
    endpoint: place.s3Endpoint,
    region: place.s3Region,
    virtualHost: place.s3Endpoint === null || place.s3VirtualHost,
    credentials:
      id === null || secret === null
        ? null
        : { accessKeyId: id, secretAccessKey: secret, sessionToken: place.s3SessionToken },
  };
}
