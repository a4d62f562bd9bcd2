import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { StallMeter } from '../load/stall-meter.ts';

/** A server in a process of its own, so that its time and memory can be measured. */
export interface MeasuredServer {
  readonly url: string;
  readonly extra: Readonly<Record<string, string>>;
  /** CPU milliseconds (user and system, all threads) and peak memory since the process began. */
  usage(): Promise<Usage>;
  /** Starts to count stalls of the event loop. */
  warm(): void;
  close(): Promise<void>;
}

export interface Usage {
  readonly cpu: number;
  readonly peakMegabytes: number;
  /** Longest delay of a timer by the event loop since the warm-up, in milliseconds. */
  readonly longestStall: number;
}

type FromChild = { kind: 'ready'; url: string; extra: Record<string, string> } | ({ kind: 'usage' } & Usage);
type ToChild = 'usage' | 'warm';

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
              if (usage.kind === 'usage') answer(usage);
            });
            child.send('usage' satisfies ToChild);
          }),
        warm: () => child.send('warm' satisfies ToChild),
        async close() {
          child.disconnect();
          child.kill('SIGTERM');
          await ended;
        },
      });
    });
  });
}

/** The server's end of `MeasuredServer`. */
export function serveMeasurements(url: string, extra: Record<string, string> = {}): void {
  const meter = new StallMeter('starting');
  process.on('message', (message: ToChild) => {
    if (message === 'warm') return meter.enter('warm');
    const { user, system } = process.cpuUsage();
    const { maxRSS } = process.resourceUsage();
    process.send?.({
      kind: 'usage',
      cpu: (user + system) / 1000,
      peakMegabytes: maxRSS / 1024,
      longestStall: meter.stalls()['warm']?.longest ?? 0,
    } satisfies FromChild);
  });
  process.on('disconnect', () => process.exit(0));
  process.send?.({ kind: 'ready', url, extra } satisfies FromChild);
}
