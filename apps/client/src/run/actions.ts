import { language, localized } from '@coppice/ui';
import { goOnAnyway } from '../care/care.ts';
import { agree, consentTo, withdraw } from '../consent/consent.ts';
import { attempt, problem } from '../errors/attempt.ts';
import { participant } from '../link/participant.ts';
import { session } from '../link/session.ts';
import { forgetInvitation, secretFor } from './invitation.ts';
import { agreeToLater } from './later-runs.ts';
import { chosen, picked } from './run.ts';
import { takingPart } from './taking-part.ts';

/*
 * The person's actions. Taking part and pausing are stored; the worker follows.
 */

export function agreeTo(statements: readonly string[]): void {
  const run = chosen.value;
  if (run === null) return;
  agree({
    run: run.id,
    task: run.task,
    title: localized(run.title),
    operator: session.operator.value ?? '',
    origin: location.origin,
    agreedAt: Date.now(),
    language: language.value,
    statements,
  });
}

export async function start(): Promise<void> {
  const run = chosen.value;
  if (run === null || consentTo(run.id) === null) return;
  takingPart.set({ run: run.id, paused: false });
  await join();
}

/** Joins, or joins again after a reload. A run that refuses is forgotten. */
export async function join(): Promise<void> {
  const wanted = takingPart.value.value;
  if (wanted === null) return;
  // The statements may have changed since the agreement; then the person must agree again.
  if (consentTo(wanted.run) === null) {
    takingPart.set(null);
    return;
  }
  const joined = await attempt('join', async () => {
    if (wanted.paused) await participant().pause();
    await participant().join(wanted.run, secretFor(wanted.run));
    return true;
  });
  if (joined === undefined && takingPart.value.value?.run === wanted.run) takingPart.set(null);
  if (problem.value?.code === 'invitation-invalid') forgetInvitation(wanted.run);
}

export async function leave(): Promise<void> {
  takingPart.set(null);
  await attempt('leave', () => participant().leave());
}

export async function withdrawConsent(): Promise<void> {
  const run = chosen.value;
  if (run === null) return;
  withdraw(run.id);
  agreeToLater(run.task, null);
  if (takingPart.value.value !== null || session.joined.value !== null) await leave();
}

export function pause(): void {
  const now = takingPart.value.value;
  if (now !== null) takingPart.set({ ...now, paused: true });
}

/** Resumes, and overrides the device care until its reasons are gone. */
export function resume(): void {
  const now = takingPart.value.value;
  goOnAnyway();
  if (now !== null) takingPart.set({ ...now, paused: false });
}

/** Switches the page to another run, and leaves one that is over. */
export async function pick(run: string): Promise<void> {
  picked.value = run;
  takingPart.set(null);
  const address = new URL(location.href);
  address.searchParams.set('run', run);
  history.replaceState(null, '', address);
  if (session.joined.value !== null) await attempt('leave', () => participant().leave());
}
