import { MAX_NESTING, tooDeep } from '@coppice/model-files';

/** Characters of JSON as bytes. */
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const [LIST, LIST_END] = [0x5b, 0x5d];
const [OBJECT, OBJECT_END] = [0x7b, 0x7d];

/** Nesting levels around the model in the body of a request. */
const AROUND = 2;

/**
 * Refuses the JSON of a new task whose model nests too deep, before it is parsed: for millions of brackets, the parser
 * takes seconds and hundreds of megabytes, in the thread that serves all requests.
 *
 * @throws CoppiceError `model-invalid`
 */
export function refuseDeepBody(_request: unknown, _response: unknown, body: Uint8Array): void {
  let depth = 0;
  let quoted = false;
  for (let i = 0; i < body.length; i++) {
    const byte = body[i] as number;
    if (quoted) {
      if (byte === BACKSLASH) i++;
      else if (byte === QUOTE) quoted = false;
    } else if (byte === QUOTE) quoted = true;
    else if (byte === LIST_END || byte === OBJECT_END) depth--;
    else if ((byte === LIST || byte === OBJECT) && ++depth > MAX_NESTING + AROUND) throw tooDeep();
  }
}
