/** Safe HTML, which goes into a page unescaped. Only {@link html} makes it. */
class Markup {
  readonly source: string;

  constructor(source: string) {
    this.source = source;
  }

  toString(): string {
    return this.source;
  }
}

export type { Markup };

type Part = Markup | string | number | readonly Part[];

/**
 * Builds HTML from a template. Inserted values are escaped, for text and for quoted attributes alike, unless they are
 * results of `html`; lists are joined. So no name can inject a tag.
 *
 * @example
 * html`<p title="${name}">${name}</p>`.toString();
 */
export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Markup {
  return new Markup(String.raw({ raw: strings }, ...parts.map(render)));
}

function render(part: Part): string {
  if (part instanceof Markup) return part.source;
  if (typeof part === 'object') return part.map(render).join('');
  return escapeHtml(String(part));
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => entities[character] as string);
}
