import {
  type AcceptInvitation,
  type AdminMessage,
  type AdminName,
  adminMessages,
  CoppiceError,
  type Login,
  parseMessage,
  type Run,
  roleScopes,
  type Scope,
  type SessionState,
} from '@coppice/protocol';
import { computed, signal } from '@preact/signals';
import { io, type Socket } from 'socket.io-client';
import { acceptInvitation, deleteSession, fetchSession, postSession } from './access-api.ts';
import { fetchRounds } from './api.ts';
import { inBatches } from './in-batches.ts';
import {
  type AdminState,
  emptyState,
  withEvent,
  withParticipants,
  withRounds,
  withRun,
  withSnapshot,
} from './store.ts';

/** `unknown` until the first answer, `out` where the reader must sign in. */
export const access = signal<'unknown' | 'in' | 'out'>('unknown');
/** The signed-in account; null where there is none. */
export const account = signal<SessionState['account']>(null);
/** True where the page was signed in and the restarted coordinator refuses the key. */
export const keyChanged = signal(false);
/** `live`: the page is up to date; `lost`: it was, and is reconnecting. */
export const connection = signal<'connecting' | 'live' | 'lost'>('connecting');
/** The error of an incompatible coordinator, or null. */
export const mismatch = signal<CoppiceError | null>(null);
export const state = signal<AdminState>(emptyState);

/** All runs, newest first. */
export const runs = computed<readonly Run[]>(() =>
  [...state.value.runs.values()].sort((a, b) => b.sequence - a.sequence),
);

/** The current time by the coordinator's clock. */
export function coordinatorNow(): number {
  return Date.now() + state.peek().clockOffset;
}

/** Checks that the account's role has a scope: actions without it are not offered. */
export function may(scope: Scope): boolean {
  const own = account.value;
  return own !== null && roleScopes[own.role].includes(scope);
}

/** Applies changes from the coordinator, in order and in batches: a fast run sends more than a page can draw. */
const change = inBatches<(before: AdminState) => AdminState>((changes) => {
  state.value = changes.reduce((known, make) => make(known), state.value);
});

/** Applies a run from the answer to an action at once. */
export function learn(run: Run): void {
  change((before) => withRun(before, run), true);
}

let socket: Socket | null = null;
/** The admin key, only in memory, so that the page can sign in again after a restart of the coordinator. */
let knownKey: string | null = null;

/** Connects where this browser has a session; otherwise `access` becomes `out`. */
export async function begin(): Promise<void> {
  try {
    if (await refreshAccount()) return goLive();
    access.value = 'out';
  } catch {
    // Not reachable: the form stands, and says so when it is tried.
    access.value = 'out';
  }
}

export async function refreshAccount(): Promise<boolean> {
  const { admin, account: own } = await fetchSession();
  account.value = own;
  return admin;
}

/** @throws CoppiceError `login-refused` for a wrong key, or a wrong name or password. */
export async function signIn(login: Login): Promise<void> {
  account.value = (await postSession(login)).account;
  knownKey = 'key' in login && account.value?.via === 'admin-key' ? login.key : null;
  keyChanged.value = false;
  goLive();
}

/** Accepts an invitation, which signs in. */
export async function join(given: AcceptInvitation): Promise<void> {
  account.value = (await acceptInvitation(given)).account;
  knownKey = null;
  keyChanged.value = false;
  goLive();
}

export async function signOut(): Promise<void> {
  knownKey = null;
  await deleteSession();
  leave();
}

function leave(): void {
  socket?.disconnect();
  socket = null;
  wanted.clear();
  change(() => emptyState, true);
  account.value = null;
  access.value = 'out';
}

function leaveForKey(): void {
  leave();
  keyChanged.value = true;
}

function goLive(): void {
  access.value = 'in';
  if (socket !== null) {
    socket.connect();
    return;
  }
  socket = io('/admin', { transports: ['websocket'] });
  socket.on('disconnect', (reason) => {
    connection.value = 'lost';
    // After this one Socket.IO does not try again by itself.
    if (reason === 'io server disconnect') socket?.connect();
  });
  socket.on('connect_error', (error: Error & { data?: { code?: string } }) => {
    connection.value = 'lost';
    if (error.data?.code === 'unauthorized') void signInAgain();
  });
  on('snapshot', (snapshot) => {
    connection.value = 'live';
    const now = Date.now();
    change((before) => withSnapshot(before, snapshot, now));
    // Rounds that were missed while disconnected.
    for (const run of wanted) void loadRounds(run);
  });
  on('run', (run) => {
    change((before) => withRun(before, run));
  });
  on('round', (round) => {
    change((before) => withRounds(before, round.run, [round]));
  });
  on('participants', (message) => {
    change((before) => withParticipants(before, message));
  });
  on('event', (event) => {
    change((before) => withEvent(before, event));
  });
}

/**
 * Signs in again after the session ended: that of the admin key ends where another key is configured, others where they
 * were revoked.
 */
async function signInAgain(): Promise<void> {
  if (knownKey === null) return leaveForKey();
  try {
    await signIn({ key: knownKey });
  } catch (thrown) {
    if (CoppiceError.from(thrown).code === 'login-refused') leaveForKey();
    else setTimeout(() => socket?.connect(), 2000);
  }
}

function on<N extends AdminName>(name: N, take: (message: AdminMessage<N>) => void): void {
  socket?.on(name as string, (value: unknown) => {
    try {
      take(parseMessage(name, adminMessages[name], value) as AdminMessage<N>);
    } catch (thrown) {
      mismatch.value = CoppiceError.from(thrown);
    }
  });
}

const wanted = new Set<string>();

/** Fetches the rounds of a run once; later ones come live. */
export function wantRounds(run: string): void {
  if (wanted.has(run)) return;
  wanted.add(run);
  void loadRounds(run);
}

async function loadRounds(run: string): Promise<void> {
  try {
    const rounds = await fetchRounds(run);
    change((before) => withRounds(before, run, rounds));
  } catch {
    // Fetched again with the next snapshot.
  }
}
