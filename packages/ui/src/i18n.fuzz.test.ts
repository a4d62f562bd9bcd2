import fc from 'fast-check';
import { expect, it, vi } from 'vitest';

it('whatever a browser prefers and remembers, the page has a language', async () => {
  const tag = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom('zh', 'zh-Hant-TW', 'ZH_cn', 'en', 'de', '*', 'zho', ''),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.option(tag),
      fc.option(fc.array(tag), { nil: undefined }),
      tag,
      async (stored, languages, language) => {
        vi.stubGlobal('localStorage', { getItem: () => stored });
        vi.stubGlobal('navigator', { languages, language });
        vi.resetModules();
        const page = await import('./i18n.ts');
        expect(['en', 'zh']).toContain(page.language.value);
        if (stored === 'zh' || stored === 'en') expect(page.language.value).toBe(stored);
      },
    ),
    { numRuns: 50 },
  );
  vi.unstubAllGlobals();
});
