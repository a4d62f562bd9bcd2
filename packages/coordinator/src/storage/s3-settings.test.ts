import { describe, expect, it } from 'vitest';
import { defaultConfig } from '../config.ts';
import { s3Settings } from './s3-settings.ts';

const place = { ...defaultConfig, s3AccessKeyId: 'id', s3SecretAccessKey: 'secret' };

describe('settings of S3', () => {
  it.each([
    ['s3://bucket', 'bucket', ''],
    ['s3://bucket/', 'bucket', ''],
    ['s3://my.bucket/a', 'my.bucket', 'a/'],
    ['s3://bucket/a/b/', 'bucket', 'a/b/'],
  ])('%s is a bucket and a prefix', (blobUrl, bucket, prefix) => {
    expect(s3Settings({ ...place, blobUrl })).toMatchObject({ bucket, prefix });
  });

  it('are none without a bucket, whatever else the environment says', () => {
    expect(s3Settings(place)).toBeNull();
    expect(s3Settings({ ...place, s3SecretAccessKey: null })).toBeNull();
  });

  it('put the bucket before the host at Amazon, into the path elsewhere unless told otherwise', () => {
    const blobUrl = 's3://bucket';
    const s3Endpoint = 'https://store.example';
    expect(s3Settings({ ...place, blobUrl })?.virtualHost).toBe(true);
    expect(s3Settings({ ...place, blobUrl, s3Endpoint })?.virtualHost).toBe(false);
    expect(s3Settings({ ...place, blobUrl, s3Endpoint, s3VirtualHost: true })?.virtualHost).toBe(true);
  });

  it('take key and secret together, or neither', () => {
    const blobUrl = 's3://bucket';
    expect(s3Settings({ ...defaultConfig, blobUrl })?.credentials).toBeNull();
    for (const [lacks, changes] of [
      ['AWS_ACCESS_KEY_ID', { s3AccessKeyId: null }],
      ['AWS_SECRET_ACCESS_KEY', { s3SecretAccessKey: null }],
    ] as const)
      expect(() => s3Settings({ ...place, blobUrl, ...changes })).toThrow(
        expect.objectContaining({
          code: 'config-invalid',
          message: expect.stringMatching(new RegExp(`without ${lacks}\\.`)),
        }),
      );
  });
});
