import type { Socket } from 'socket.io';

/** A partial server socket for tests: it records sent messages, and receives on demand. */
export function fakeSocket(id = 'a socket') {
  const listeners = new Map<string, (...args: unknown[]) => void>();
  const bytes = { bytesRead: 0, bytesWritten: 0 };
  const sent: { name: string; message: unknown }[] = [];
  let any: (name: string, ...args: unknown[]) => void = () => {};
  const fake = {
    id,
    connected: true,
    conn: { request: { socket: bytes } },
    on: (name: string, listener: (...args: unknown[]) => void) => void listeners.set(name, listener),
    onAny: (listener: typeof any) => {
      any = listener;
    },
    emit: (name: string, message: unknown) => void sent.push({ name, message }),
    disconnect: () => {
      fake.connected = false;
    },
  };
  return {
    socket: fake as unknown as Socket,
    bytes,
    sent,
    /** Simulates a message from the other side. */
    receive(name: string, ...args: unknown[]): void {
      any(name, ...args);
      listeners.get(name)?.(...args);
    },
    get isConnected(): boolean {
      return fake.connected;
    },
  };
}
