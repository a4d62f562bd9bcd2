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

  it('explains every option in its help', () => {
    const text = helpText();
    for (const { flag, env, help } of Object.values(options))
      for (const part of [`--${flag}`, env, help]) expect(text).toContain(part);
    expect(readConfig(['--help'], {})).toBe('help');
  });
});
