import {
  type AdminMessage,
  type AdminName,
  adminMessages,
  CoppiceError,
  parseMessage,
  type Run,
} from '@coppice/protocol';
import { computed, signal } from '@preact/signals';
import { io, type Socket } from 'socket.io-client';
import { signOut as deleteSession, fetchRounds, isSignedIn, signIn as postKey } from './api.ts';
import {
  type AdminState,
  emptyState,
  withEvent,
  withParticipants,
  withRounds,
  withRun,
  withSnapshot,
} from './store.ts';

/** `unknown` until the first answer, `out` where a key is needed. */
export const access = signal<'unknown' | 'in' | 'out'>('unknown');
/** Whether the page was signed in, and the coordinator that came back asks for the key anew. */
export const keyChanged = signal(false);
/** `live`: everything shown is what is; `lost`: it was, and the page is trying to reach the coordinator. */
export const connection = signal<'connecting' | 'live' | 'lost'>('connecting');
/** Why the page stopped understanding the coordinator, if it did. */
export const mismatch = signal<CoppiceError | null>(null);
export const state = signal<AdminState>(emptyState);

/** All runs, newest first. */
export const runs = computed<readonly Run[]>(() =>
  [...state.value.runs.values()].sort((a, b) => b.createdAt - a.createdAt || (a.id < b.id ? 1 : -1)),
);

/** The coordinator's clock. */
export function coordinatorNow(): number {
  return Date.now() + state.peek().clockOffset;
}

let socket: Socket | null = null;
/** Kept only in memory, so that the page signs in again by itself when the coordinator was restarted. */
let knownKey: string | null = null;

/** Goes live where this browser has a session; otherwise `access` becomes `out`. */
export async function begin(): Promise<void> {
  try {
    if (await isSignedIn()) return goLive();
    access.value = 'out';
  } catch {
    // Not reachable: the form stands, and says so when it is tried.
    access.value = 'out';
  }
}

/** @throws CoppiceError `login-refused` for a wrong key. */
export async function signIn(key: string): Promise<void> {
  await postKey(key);
  knownKey = key;
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
  state.value = emptyState;
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
    state.value = withSnapshot(state.value, snapshot, Date.now());
    // Whatever was missed while away.
    for (const run of wanted) void loadRounds(run);
  });
  on('run', (run) => {
    state.value = withRun(state.value, run);
  });
  on('round', (round) => {
    state.value = withRounds(state.value, round.run, [round]);
  });
  on('participants', (message) => {
    state.value = withParticipants(state.value, message);
  });
  on('event', (event) => {
    state.value = withEvent(state.value, event);
  });
}

/** Sessions end with the coordinator's process. */
async function signInAgain(): Promise<void> {
  if (knownKey === null) return leaveForKey();
  try {
    await signIn(knownKey);
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

/** Fetches the rounds of a run once; what happens later comes live. */
export function wantRounds(run: string): void {
  if (wanted.has(run)) return;
  wanted.add(run);
  void loadRounds(run);
}

async function loadRounds(run: string): Promise<void> {
  try {
    const rounds = await fetchRounds(run);
    state.value = withRounds(state.value, run, rounds);
  } catch {
    // Fetched again with the next snapshot.
  }
}
