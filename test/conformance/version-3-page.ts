/*
 * A page of version 3 of the protocol at its coordinator's door: its hello as recorded from such a page, and a copy of
 * its reading of a refusal. Released pages do not change, and neither does this file.
 */

/** The only packet that the page sends before it is let in. */
export const recordedHello =
  '40/participant,{"protocol":3,"key":"BB4YUy_UdUwC8wQdnHXOszuD_9gax85P6ILMscmLxYlupGwxHE4v9A3ZajZT5uRURdMt_khuztdcepDGoYiBwKM"}';

/** The codes that the page knows at the door, and what it does at each. */
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

/** The English of the page for codes that it does not try again at. */
const shown: Readonly<Record<string, string>> = {
  'protocol-too-old':
    'This page is older than the coordinator. They no longer speak the same language, so you are not taking part. Your examples are kept. Reload the page to update it.',
  'identity-invalid':
    'The coordinator did not accept the random id of this browser. You cannot take part with it. Delete the data of this site in the settings of the browser, then load the page again.',
};

/** What the page does when it is refused: it goes on trying, or gives up and shows a text. */
export function readRefusal(packet: string): { readonly triesAgain: boolean; readonly text: string | null } {
  const error = JSON.parse(packet.slice('44/participant,'.length)) as { data?: unknown };
  const { code, message } = (error.data ?? {}) as { code?: unknown; message?: unknown };
  const known = typeof code === 'string' && Object.hasOwn(retryOf, code) && typeof message === 'string';
  const read = known ? code : 'internal';
  return { triesAgain: retryOf[read] === 'later', text: shown[read] ?? null };
}
