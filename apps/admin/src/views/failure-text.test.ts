import { errorCodeList } from '@coppice/protocol';
import { sampleFacts } from '@coppice/protocol/testing';
import { language } from '@coppice/ui';
import { afterEach, describe, expect, it } from 'vitest';
import { failureText } from './failure-text.ts';

afterEach(() => {
  language.value = 'en';
});

describe('failureText', () => {
  it('is a Chinese sentence for every code, and English with the details that came', () => {
    const message = 'The disk is full.';
    for (const code of errorCodeList) {
      language.value = 'en';
      expect(failureText({ code, message })).toBe(message);
      language.value = 'zh';
      expect(failureText({ code, message }), code).toMatch(/^[^A-Za-z]*(ID|NaN)?[^A-Za-z]*。$/);
    }
  });

  it('says the facts of a code in both languages, whatever the message', () => {
    for (const [code, samples] of Object.entries(sampleFacts)) {
      for (const facts of samples) {
        const failure = { code, message: 'x', facts };
        language.value = 'en';
        const english = failureText(failure);
        language.value = 'zh';
        const chinese = failureText(failure);
        expect(english).not.toBe('x');
        expect(chinese).toMatch(/[\u4e00-\u9fff].*。$/);
        const numbers = Object.values(facts).filter((fact) => typeof fact === 'number');
        for (const number of numbers)
          for (const text of [english, chinese]) expect(text).toContain(String(number));
      }
    }
  });

  it('is the message where the code is not known', () => {
    language.value = 'zh';
    expect(failureText({ code: 'newer-code', message: 'Something new.' })).toBe('Something new.');
  });
});
