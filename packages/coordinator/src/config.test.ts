import { describe, expect, it } from 'vitest';
import { defaultConfig, helpText, options, readConfig } from './config.ts';

describe('configuration', () => {
  it('has a default for everything', () => {
    expect(readConfig([], {})).toEqual(defaultConfig);
  });

  it('takes flags before the environment before defaults', () => {
    expect(readConfig(['--port', '1234'], { PORT: '99', HOST: '0.0.0.0' })).toMatchObject({
      port: 1234,
      host: '0.0.0.0',
      dataDir: 'data',
    });
  });

  it.each([
    [['--port', 'eighty'], {}, '--port'],
    [['--port', '70000'], {}, '--port'],
    [[], { PORT: '-1' }, 'PORT'],
    [[], { COPPICE_ADMIN_KEY: 'short' }, 'COPPICE_ADMIN_KEY'],
    [['--bogus'], {}, '--bogus'],
    [['--log-level', 'loud'], {}, '--log-level'],
    [['--public-url', 'not a url'], {}, '--public-url'],
  ])('names the flag or variable that is wrong: %j %j', (argv, env, name) => {
    expect(() => readConfig(argv, env)).toThrow(
      expect.objectContaining({ code: 'config-invalid', message: expect.stringContaining(name) }),
    );
  });

  it.each([
    'https://bucket/prefix',
    's3://',
    's3://b',
    's3://Bucket',
    's3://key:secret@bucket',
    's3://bucket/../other',
    's3://bucket//prefix',
    's3://bucket/./prefix',
    's3://bucket/a b',
    's3://bucket/prefix?region=x',
  ])('does not take %s for a bucket, nor repeats it', (url) => {
    const read = () => readConfig([], { COPPICE_BLOB_URL: url });
    expect(read).toThrow(expect.objectContaining({ code: 'config-invalid' }));
    expect(read).toThrow(/^COPPICE_BLOB_URL URL cannot be what was given: takes s3:/);
  });

  it.each(['s3://bucket', 's3://bucket/', 's3://my.bucket-1/a/b_c/d.e', 's3://bucket/prefix/'])(
    'takes %s for one',
    (url) => {
      expect(readConfig([], { COPPICE_BLOB_URL: url })).toMatchObject({ blobUrl: url });
    },
  );

  it('takes what others call the object store’s address and keys, and does not repeat them', () => {
    const env = {
      AWS_ENDPOINT_URL_S3: 'https://store.example:9000',
      AWS_REGION: 'eu-central-1',
      AWS_ACCESS_KEY_ID: 'AKID',
      AWS_SECRET_ACCESS_KEY: 'its/secret+',
      AWS_SESSION_TOKEN: 'a-token',
    };
    expect(readConfig([], env)).toMatchObject({
      s3Endpoint: 'https://store.example:9000',
      s3Region: 'eu-central-1',
      s3AccessKeyId: 'AKID',
      s3SecretAccessKey: 'its/secret+',
      s3SessionToken: 'a-token',
    });
    for (const [name, wrong] of Object.entries({
      AWS_ENDPOINT_URL_S3: 'https://me:pass-word@store.example',
      AWS_SECRET_ACCESS_KEY: 'its secret',
      AWS_ACCESS_KEY_ID: 'a key',
      AWS_SESSION_TOKEN: 'a token',
    })) {
      const thrown = (() => {
        try {
          return readConfig([], { ...env, [name]: wrong });
        } catch (error) {
          return error as Error;
        }
      })();
      expect(thrown).toMatchObject({ code: 'config-invalid', message: expect.stringContaining(name) });
      expect((thrown as Error).message).not.toContain(wrong);
    }
  });

  it('explains every option in its help', () => {
    const text = helpText();
    for (const { flag, env, help } of Object.values(options))
      for (const part of [`--${flag}`, env, help]) expect(text).toContain(part);
    expect(readConfig(['--help'], {})).toBe('help');
  });
});
