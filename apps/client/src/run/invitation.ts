import { remembered } from '../link/remembered.ts';

/** An invitation to a run, as its link brought it. */
export interface Invitation {
  readonly run: string;
  readonly secret: string;
}

/** The one to show at the next join; kept until it was taken or refused, so that a reload does not lose it. */
export const invitation = remembered<Invitation | null>('invitation', null, isInvitation);

function isInvitation(value: unknown): value is Invitation | null {
  if (value === null) return true;
  const { run, secret } = value as Partial<Invitation>;
  return typeof run === 'string' && typeof secret === 'string';
}

/** The invitation in an address, if it is one: `?run=…#invite=…`. */
export function invitationIn(address: URL): Invitation | null {
  const run = address.searchParams.get('run');
  const secret = new URLSearchParams(address.hash.slice(1)).get('invite');
  return run && secret ? { run, secret } : null;
}

/**
 * Takes the invitation out of the page's address, now and whenever another link is opened in this tab:
 * what is not in the address bar is in no bookmark and over no shoulder.
 */
export function takeInvitations(): void {
  const take = () => {
    const address = new URL(location.href);
    const found = invitationIn(address);
    if (found === null) return;
    invitation.set(found);
    address.hash = '';
    history.replaceState(history.state, '', address.href.replace(/#$/, ''));
  };
  addEventListener('hashchange', take);
  take();
}

/** The secret for a run, to be shown when it is joined. */
export function secretFor(run: string): string | null {
  const kept = invitation.value.value;
  return kept?.run === run ? kept.secret : null;
}

/** It was taken, or is worth nothing. */
export function forgetInvitation(run: string): void {
  if (invitation.value.value?.run === run) invitation.set(null);
}
