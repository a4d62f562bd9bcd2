import { errorCodeList } from '@coppice/protocol';
import { language as inForce } from '@coppice/ui';
import { afterEach, describe, expect, it } from 'vitest';
import { errorText, passesByItself } from './error-texts.ts';

afterEach(() => {
  inForce.value = 'en';
});

describe('errorText', () => {
  for (const language of ['en', 'zh'] as const) {
    it(`says what happened, what it means and what to do for every code in ${language}`, () => {
      inForce.value = language;
      for (const code of errorCodeList) {
        for (const part of Object.values(errorText(code))) {
          expect(/[\u4e00-\u9fff]/.test(part), `${code}: ${part}`).toBe(language === 'zh');
          expect(/[.。]$/.test(part), `${code}: ${part}`).toBe(true);
        }
      }
    });
  }

  it('asks for a reload where only that helps', () => {
    expect(errorText('protocol-too-old').action).toContain('Reload');
  });
});

describe('passesByItself', () => {
  it('raises no alarm for a lost round and raises one for refused updates', () => {
    expect(passesByItself('quorum-lost')).toBe(true);
    expect(passesByItself('coordinator-stopping')).toBe(true);
    expect(passesByItself('update-not-finite')).toBe(false);
    expect(passesByItself('storage-full')).toBe(false);
  });
});
