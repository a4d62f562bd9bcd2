import { remembered } from '../link/remembered.ts';

/** An invitation to a run, from its link. */
export interface Invitation {
  readonly run: string;
  readonly secret: string;
}

/** The invitation for the next join; stored until it is accepted or refused, so that it survives a reload. */
export const invitation = remembered<Invitation | null>('invitation', null, isInvitation);

function isInvitation(value: unknown): value is Invitation | null {
  if (value === null) return true;
  const { run, secret } = value as Partial<Invitation>;
  return typeof run === 'string' && typeof secret === 'string';
}

/** The invitation in a URL, if there is one: `?run=…#invite=…`. */
export function invitationIn(address: URL): Invitation | null {
  const run = address.searchParams.get('run');
  const secret = new URLSearchParams(address.hash.slice(1)).get('invite');
  return run && secret ? { run, secret } : null;
}

/**
 * Moves the invitation out of the page's address, now and whenever another link is opened in this tab, so that it ends
 * up in no bookmark and is not visible on the screen.
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

/** The secret for joining a run. */
export function secretFor(run: string): string | null {
  const kept = invitation.value.value;
  return kept?.run === run ? kept.secret : null;
}

/** Forgets an invitation that was accepted or is invalid. */
export function forgetInvitation(run: string): void {
  if (invitation.value.value?.run === run) invitation.set(null);
}
