import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { DataSchema } from '@coppice/protocol';

/** A page for one model, and the Content-Security-Policy to serve it with. */
export interface ExamplePage {
  readonly html: string;
  readonly policy: string;
}

const part = (name: string) => readFileSync(new URL(`./example/${name}`, import.meta.url), 'utf8');
const page = part('page.html');
const parts = {
  image: { controls: part('picture.html'), script: part('picture.js') },
  table: { controls: part('table.html'), script: part('table.js') },
} as const;

/**
 * A page that loads a model by the client library, prepares a picture or a row, and predicts. It works on any server.
 *
 * @param of.coordinator the coordinator's address, without a slash at its end.
 * @param of.model a channel, `latest`, or the hash of a checkpoint.
 */
export function examplePage(
  kind: DataSchema['kind'],
  of: { readonly coordinator: string; readonly task: string; readonly model: string },
): ExamplePage {
  const { controls, script } = parts[kind];
  const html = page
    .replace('    <!-- controls -->\n', () => controls)
    .replace('      // script\n', () => indented(script))
    .replaceAll('%COORDINATOR%', () => inText(of.coordinator))
    .replaceAll('%TASK%', () => inText(of.task))
    .replaceAll('%MODEL%', () => inText(of.model));
  const { origin } = new URL(of.coordinator);
  return {
    html,
    policy: [
      "default-src 'none'",
      `script-src 'self' ${origin} ${hashOf(html, 'script')} 'wasm-unsafe-eval'`,
      `style-src ${hashOf(html, 'style')}`,
      `connect-src 'self' ${origin}`,
      "img-src 'self' blob: data:",
      "base-uri 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'",
    ].join('; '),
  };
}

/** A text that is safe in HTML and between the quotation marks of a script: addresses and ids need no other characters. */
function inText(text: string): string {
  return text.replaceAll(/[^\w.:/[\]-]/g, (one) => encodeURIComponent(one));
}

function indented(script: string): string {
  return script.replaceAll(/^(?=.)/gm, '      ');
}

/** The source of a policy that allows the content of the page's one element of this name. */
function hashOf(html: string, name: 'script' | 'style'): string {
  const from = html.indexOf('>', html.indexOf(`<${name}`)) + 1;
  const content = html.slice(from, html.indexOf(`</${name}>`, from));
  return `'sha256-${createHash('sha256').update(content).digest('base64')}'`;
}
