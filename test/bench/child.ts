import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** A server in a process of its own, so that its time and memory are its own. */
export interface MeasuredServer {
  readonly url: string;
  readonly extra: Readonly<Record<string, string>>;
  /** CPU milliseconds (user and system, all threads) and peak memory since the process began. */
  usage(): Promise<{ cpu: number; peakMegabytes: number }>;
  close(): Promise<void>;
}

type FromChild =
  | { kind: 'ready'; url: string; extra: Record<string, string> }
  | { kind: 'usage'; cpu: number; peakMegabytes: number };

export function startServer(file: string, ...args: string[]): Promise<MeasuredServer> {
  const child = fork(fileURLToPath(new URL(file, import.meta.url)), args, {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`${file} ended with code ${code}`)));
    child.once('message', (message: FromChild) => {
      if (message.kind !== 'ready') return;
      resolve({
        url: message.url,
        extra: message.extra,
        usage: () =>
          new Promise((answer) => {
            child.once('message', (usage: FromChild) => {
              if (usage.kind === 'usage') answer({ cpu: usage.cpu, peakMegabytes: usage.peakMegabytes });
            });
            child.send('usage');
          }),
        async close() {
          child.disconnect();
          child.kill('SIGTERM');
          await ended;
        },
      });
    });
  });
}

/** The server's side of the above. */
export function serveMeasurements(url: string, extra: Record<string, string> = {}): void {
  process.on('message', () => {
    const { user, system } = process.cpuUsage();
    const { maxRSS } = process.resourceUsage();
    process.send?.({
      kind: 'usage',
      cpu: (user + system) / 1000,
      peakMegabytes: maxRSS / 1024,
    } satisfies FromChild);
  });
  process.on('disconnect', () => process.exit(0));
  process.send?.({ kind: 'ready', url, extra } satisfies FromChild);
}
