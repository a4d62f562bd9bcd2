import { anyText, attempt } from '@coppice/protocol/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { originAllowed } from '../security/origins.ts';
import { credentialsOf, isSameSite } from './access.ts';
import { wholeNumber } from './respond.ts';

/** What a header can hold, and what it cannot but might one day. */
const header = fc.oneof(
  anyText,
  fc.string({
    unit: fc.constantFrom(
      ';',
      '=',
      ' ',
      ',',
      '"',
      '%',
      'a',
      'coppice_session',
      '__Host-',
      'Bearer ',
      'http://',
      '[::1',
      ':',
    ),
  }),
);

describe('headers', () => {
  it('of any content show a credential or none', () => {
    fc.assert(
      fc.property(header, header, fc.boolean(), (cookie, authorization, secure) => {
        const { bearer, session } = credentialsOf({ cookie, authorization }, secure) as {
          bearer?: string;
          session?: string | null;
        };
        for (const secret of [bearer, session]) if (secret != null) expect(secret).not.toBe('');
      }),
      { numRuns: 2000 },
    );
  });

  it('hide no session behind other cookies', () => {
    // A cookie of another name, as RFC 6265 lets it be.
    const other = fc.stringMatching(/^[a-z]{1,8}=[!#-+\--:<-[\]-~]{0,20}$/);
    fc.assert(
      fc.property(
        fc.array(other),
        fc.array(other),
        fc.stringMatching(/^[\w-]{1,40}$/),
        (before, after, token) => {
          const cookie = [...before, `coppice_session=${token}`, ...after].join('; ');
          expect(credentialsOf({ cookie }, false)).toEqual({ session: token });
        },
      ),
    );
  });

  it('of any content come from the same site or do not', () => {
    fc.assert(
      fc.property(header, header, fc.option(header, { nil: undefined }), (origin, host, site) => {
        const headers = { origin, host, ...(site === undefined ? {} : { 'sec-fetch-site': site }) };
        const result = attempt(() => [isSameSite(headers), originAllowed(headers, ['https://example.org'])]);
        expect(result).toHaveProperty('value');
      }),
      { numRuns: 2000 },
    );
  });
});

describe('a number in a query', () => {
  it('is in its bounds or refused by name', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          anyText,
          fc.string({ unit: fc.constantFrom('0', '9', '-', '.', 'e', ' ') }),
          fc.array(anyText),
          fc.object(),
        ),
        (value) => {
          const result = attempt(() => wholeNumber(value, 'of', 1, 1000));
          if ('refused' in result) expect(result.refused.code).toBe('body-invalid');
          else expect(Number.isInteger(result.value) && result.value >= 1 && result.value <= 1000).toBe(true);
        },
      ),
      { numRuns: 1000 },
    );
  });
});
