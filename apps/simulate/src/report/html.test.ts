import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { escapeHtml, html } from './html.ts';

/** What a browser makes of the five entities. */
function unescaped(text: string): string {
  const characters: Record<string, string> = { lt: '<', gt: '>', quot: '"', '#39': "'", amp: '&' };
  return text.replace(/&(lt|gt|quot|#39|amp);/g, (_, name: string) => characters[name] as string);
}

const markup = fc.string({ unit: fc.constantFrom(...'<>&"\'#;', 'amp', 'lt', 'x') });

describe('html', () => {
  it('escapes so that nothing is lost and nothing is left that could be markup', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), markup), (text) => {
        const escaped = escapeHtml(text);
        expect(escaped).not.toMatch(/[<>"']/);
        expect(unescaped(escaped)).toBe(text);
      }),
    );
  });

  it('escapes what is put in, in text and attributes, but not its own results', () => {
    const inner = html`<b title="${'"><script>'}">${'<i>'} & ${1}</b>`;
    expect(html`<p>${[inner, ' ', '<']}</p>`.toString()).toBe(
      '<p><b title="&quot;&gt;&lt;script&gt;">&lt;i&gt; & 1</b> &lt;</p>',
    );
  });

  it('does not take a look-alike for its own result', () => {
    const forged = { source: '<script>', toString: () => '<script>' } as unknown as string;
    expect(() => html`${forged}`).toThrow(TypeError);
  });
});
