import type { MonitorTerms } from '@coppice/participant';
import { CoppiceError } from '@coppice/protocol';
import type { Device, DeviceEvent } from './device.ts';
import type { PartTerms } from './taking-part.ts';

/** The platform's part in the election. */
export interface Tabs {
  /** The way between the tabs of an origin. */
  readonly channel: Pick<BroadcastChannel, 'postMessage' | 'onmessage' | 'close'>;
  /**
   * Runs `lead` as soon as no other tab runs its own, until it resolves. `signal` gives up waiting.
   */
  elect(lead: () => Promise<void>, signal: AbortSignal): Promise<void>;
}

type Method = 'monitor' | 'unmonitor' | 'observe' | 'outcome' | 'save' | 'add' | 'takePart' | 'leave';
type Message =
  /** A tab leads from now on. */
  | { readonly kind: 'leads' }
  | { readonly kind: 'active' }
  | { readonly kind: 'event'; readonly event: DeviceEvent }
  | { readonly kind: 'ask'; readonly id: string; readonly method: Method; readonly args: readonly unknown[] }
  | { readonly kind: 'answer'; readonly id: string; readonly value: unknown }
  | { readonly kind: 'failure'; readonly id: string; readonly error: ReturnType<CoppiceError['toWire']> };

/** Messages of other tabs that a leading tab knows again. */
const MOST_DONE = 1000;

interface Waiting {
  readonly method: Method;
  readonly args: readonly unknown[];
  readonly resolve: (value: never) => void;
  readonly reject: (thrown: unknown) => void;
}

/**
 * One device for several tabs: one of them, which is elected, has the connection and counts; the others pass on to it what
 * they predict and are told. Where it is closed, another one goes on.
 */
export class SharedDevice implements Device {
  readonly #open: () => Promise<Device>;
  readonly #tabs: Tabs;
  readonly #newId: () => string;
  readonly #closing = new AbortController();
  readonly #closed = Promise.withResolvers<void>();
  readonly #heard = new Set<(event: DeviceEvent) => void>();
  /** The last of what was told, by kind and task, for those that ask later. */
  readonly #told = new Map<string, DeviceEvent>();
  /** What this tab asked for to go on: a tab that leads from now on does not know. */
  readonly #standing = new Map<string, { readonly method: Method; readonly args: readonly unknown[] }>();
  readonly #waiting = new Map<string, Waiting>();
  /** What this tab did for others, by the ids of their messages: these come again where a tab begins to lead. */
  readonly #done = new Map<string, Promise<unknown>>();
  #own: Device | null = null;

  /** @param newId gives ids that no other tab gives. */
  constructor(options: { open: () => Promise<Device>; tabs: Tabs; newId: () => string }) {
    this.#open = options.open;
    this.#tabs = options.tabs;
    this.#newId = options.newId;
    this.#tabs.channel.onmessage = ({ data }) => this.#received(data as Message);
    this.#tabs
      .elect(() => this.#lead(), this.#closing.signal)
      .catch((thrown: unknown) => {
        if (!this.#closing.signal.aborted) this.#fail(thrown);
      });
  }

  /** True where this tab has the connection. */
  get leads(): boolean {
    return this.#own !== null;
  }

  async monitor(task: string, how: MonitorTerms): Promise<void> {
    await this.#stand('monitor', task, how);
  }

  async unmonitor(task: string): Promise<void> {
    this.#standing.delete(`monitor ${task}`);
    await this.#do('unmonitor', [task]);
  }

  add(...args: Parameters<Device['add']>): Promise<void> {
    return this.#do('add', args);
  }

  async takePart(task: string, how: PartTerms): Promise<void> {
    await this.#stand('takePart', task, how);
  }

  async leave(task: string): Promise<void> {
    this.#standing.delete(`takePart ${task}`);
    await this.#do('leave', [task]);
  }

  active(): void {
    if (this.#own !== null) this.#own.active();
    else this.#post({ kind: 'active' });
  }

  observe(...args: Parameters<Device['observe']>): Promise<void> {
    return this.#do('observe', args);
  }

  outcome(...args: Parameters<Device['outcome']>): Promise<boolean> {
    return this.#do('outcome', args);
  }

  save(): Promise<void> {
    return this.#own?.save() ?? Promise.resolve();
  }

  subscribe(heard: (event: DeviceEvent) => void): () => void {
    this.#heard.add(heard);
    for (const event of this.#told.values()) heard(event);
    return () => void this.#heard.delete(heard);
  }

  close(): void {
    this.#closing.abort();
    this.#closed.resolve();
    this.#own?.close();
    this.#own = null;
    this.#heard.clear();
    this.#waiting.clear();
    this.#tabs.channel.close();
  }

  /** Leads until this tab is closed. */
  async #lead(): Promise<void> {
    const own = await this.#open();
    if (this.#closing.signal.aborted) return own.close();
    this.#own = own;
    own.subscribe((event) => {
      this.#tell(event);
      this.#post({ kind: 'event', event });
    });
    // What this tab waits for it does itself; the others ask again.
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const { method, args } of this.#standing.values())
      if (!waiting.some((one) => one.method === method && one.args[0] === args[0]))
        this.#call(own, method, args).catch(() => {});
    for (const { method, args, resolve, reject } of waiting)
      this.#call(own, method, args).then(resolve as (value: unknown) => void, reject);
    this.#post({ kind: 'leads' });
    await this.#closed.promise;
  }

  #received(message: Message): void {
    if (message.kind === 'leads') {
      // The offers of the tab that led before are gone with it.
      for (const { method, args } of this.#standing.values()) this.#do(method, args).catch(() => {});
      for (const [id, { method, args }] of this.#waiting) this.#post({ kind: 'ask', id, method, args });
    } else if (message.kind === 'event') this.#tell(message.event);
    else if (message.kind === 'active') this.#own?.active();
    else if (message.kind === 'ask') void this.#answer(message);
    else {
      const waiting = this.#waiting.get(message.id);
      this.#waiting.delete(message.id);
      if (message.kind === 'answer') waiting?.resolve(message.value as never);
      else waiting?.reject(CoppiceError.fromWire(message.error));
    }
  }

  async #answer({ id, method, args }: Message & { kind: 'ask' }): Promise<void> {
    const own = this.#own;
    if (own === null) return;
    try {
      const done = this.#done.get(id) ?? this.#call(own, method, args);
      this.#done.set(id, done);
      const [oldest] = this.#done.keys();
      if (this.#done.size > MOST_DONE) this.#done.delete(oldest as string);
      this.#post({ kind: 'answer', id, value: await done });
      // A tab that came later knows nothing yet.
      if (method === 'monitor' || method === 'takePart')
        for (const event of this.#told.values()) this.#post({ kind: 'event', event });
    } catch (thrown) {
      this.#post({ kind: 'failure', id, error: CoppiceError.from(thrown).toWire() });
    }
  }

  async #stand(method: 'monitor' | 'takePart', task: string, how: unknown): Promise<void> {
    this.#standing.set(`${method} ${task}`, { method, args: [task, how] });
    await this.#do(method, [task, how]);
  }

  #do<T>(method: Method, args: readonly unknown[]): Promise<T> {
    if (this.#closing.signal.aborted) return Promise.reject(new Error('This client was closed'));
    if (this.#own !== null) return this.#call(this.#own, method, args) as Promise<T>;
    const id = this.#newId();
    return new Promise<T>((resolve, reject) => {
      this.#waiting.set(id, { method, args, resolve, reject });
      this.#post({ kind: 'ask', id, method, args });
    });
  }

  #call(own: Device, method: Method, args: readonly unknown[]): Promise<unknown> {
    return (own[method] as (...args: readonly unknown[]) => Promise<unknown>)(...args);
  }

  #tell(event: DeviceEvent): void {
    // What ended in one tab ends in all: it was the person's.
    const isOver = (event.kind === 'monitored' || event.kind === 'part') && event.state === null;
    if (isOver) this.#standing.delete(`${event.kind === 'part' ? 'takePart' : 'monitor'} ${event.task}`);
    if (event.kind !== 'sent') this.#told.set(`${event.kind} ${event.task}`, event);
    for (const heard of [...this.#heard]) heard(event);
  }

  /** Refuses all that waits, where no device can be opened here. */
  #fail(thrown: unknown): void {
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const { reject } of waiting) reject(thrown);
  }

  #post(message: Message): void {
    if (!this.#closing.signal.aborted) this.#tabs.channel.postMessage(message);
  }
}

/** The tabs of this origin, by Web Locks; where the browser has none, each tab is one of its own. */
export function browserTabs(name: string): Tabs {
  const locks = (globalThis.navigator as Navigator | undefined)?.locks as LockManager | undefined;
  if (locks === undefined || typeof BroadcastChannel === 'undefined')
    return { channel: { postMessage: () => {}, onmessage: null, close: () => {} }, elect: (lead) => lead() };
  return {
    channel: new BroadcastChannel(name),
    elect: (lead, signal) => locks.request(name, { signal }, lead),
  };
}
