/*
 * A page of version 3 of the protocol at its coordinator's door: its hello as recorded from such a page, and a copy of
 * its reading of a refusal. Released pages do not change, and neither does this file.
 */

/** The page's only packet before it is admitted. */
export const recordedHello =
  '40/participant,{"protocol":3,"key":"BB4YUy_UdUwC8wQdnHXOszuD_9gax85P6ILMscmLxYlupGwxHE4v9A3ZajZT5uRURdMt_khuztdcepDGoYiBwKM"}';

/** The codes that the page knows before it is admitted, with its reaction to each. */
const retryOf: Readonly<Record<string, 'never' | 'later' | 'reload'>> = {
  'protocol-too-old': 'reload',
  'protocol-too-new': 'later',
  'identity-invalid': 'never',
  'identity-unproven': 'never',
  'too-many-connections': 'later',
  'too-many-identities': 'later',
  'too-many-offences': 'later',
  'coordinator-stopping': 'later',
  internal: 'later',
};

/** The page's English for codes after which it does not retry. */
const shown: Readonly<Record<string, string>> = {
  'protocol-too-old':
    'This page is older than the coordinator. They no longer speak the same language, so you are not taking part. Your examples are kept. Reload the page to update it.',
  'identity-invalid':
    'The coordinator did not accept the random id of this browser. You cannot take part with it. Delete the data of this site in the settings of the browser, then load the page again.',
};

/** The page's reaction to a refusal: it tries again, or gives up and shows a text. */
export function readRefusal(packet: string): { readonly triesAgain: boolean; readonly text: string | null } {
  const error = JSON.parse(packet.slice('44/participant,'.length)) as { data?: unknown };
  const { code, message } = (error.data ?? {}) as { code?: unknown; message?: unknown };
  const known = typeof code === 'string' && Object.hasOwn(retryOf, code) && typeof message === 'string';
  const read = known ? code : 'internal';
  return { triesAgain: retryOf[read] === 'later', text: shown[read] ?? null };
}
