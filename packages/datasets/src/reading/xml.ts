/** What is told of an XML document: tags without their prefix, attributes as written, texts with their entities read. */
export interface XmlReader {
  open?(tag: string, attributes: string): void;
  /** Also called for tags that close themselves. */
  close?(tag: string): void;
  text?(text: string): void;
}

/** Bytes that are decoded at once. */
const CHUNK = 1024 * 1024;
/** The longest text between tags. */
const MAX_TEXT = 16 * CHUNK;

/*
 * No part goes beyond the next tag, so that the time is that of the document's length whatever it holds. A comment is taken as a
 * tag, and data sections hold none.
 */
const TOKEN =
  /<!\[CDATA\[([^\]<]*)\]\]>|<[?!][^<>]*>|<(\/?)(?:[\w.-]{1,64}:)?([\w.-]{1,64})((?:"[^"<]*"|'[^'<]*'|[^<>"'])*)>|([^<]+)/gu;

/** Reads a document from its beginning to its end. It need not be well-formed: what is no tag is left out. */
export function readXml(bytes: Uint8Array, reader: XmlReader): void {
  const decoder = new TextDecoder();
  let rest = '';
  for (let at = 0; at < bytes.length; at += CHUNK) {
    const last = at + CHUNK >= bytes.length;
    const text = rest + decoder.decode(bytes.subarray(at, at + CHUNK), { stream: !last });
    // A comment or a text may go on in the next part.
    const end = last ? text.length : Math.max(0, text.lastIndexOf('<'));
    rest = text.slice(end);
    if (rest.length > MAX_TEXT) throw new Error('a text without an end');
    for (const [, data, slash, tag, attributes = '', content] of text.slice(0, end).matchAll(TOKEN)) {
      if (content !== undefined) reader.text?.(withoutEntities(content));
      else if (data !== undefined) reader.text?.(data);
      else if (tag !== undefined && slash === '/') reader.close?.(tag);
      else if (tag !== undefined) {
        reader.open?.(tag, attributes);
        if (attributes.endsWith('/')) reader.close?.(tag);
      }
    }
  }
}

/** Attributes by their names, prefix included. */
export function attributesOf(written: string): Record<string, string> {
  const attributes: Record<string, string> = {};
  for (const [, name, double, single] of written.matchAll(/([\w:.-]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/gu)) {
    attributes[name as string] = withoutEntities(double ?? single ?? '');
  }
  return attributes;
}

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

function withoutEntities(text: string): string {
  if (!text.includes('&')) return text;
  return text.replace(/&(?:#x([\da-f]{1,6})|#(\d{1,7})|(\w{1,8}));/giu, (all, hex, decimal, named) => {
    if (named !== undefined) return ENTITIES[named as string] ?? all;
    const code = hex === undefined ? Number(decimal) : Number.parseInt(hex as string, 16);
    return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : all;
  });
}
