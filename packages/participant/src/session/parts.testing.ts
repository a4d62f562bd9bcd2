import { ManualClock } from '@coppice/ports';
import { welcome } from '../contract.ts';
import { loopback } from '../loopback-transport.ts';
import { Line } from './line.ts';
import { StateStore } from './state-store.ts';

/** The line and the state of a session, over a loopback that is connected. */
export function connectedLine() {
  const { transport, peer } = loopback();
  const clock = new ManualClock(1000);
  const store = new StateStore();
  const line = new Line({ transport, clock, store });
  transport.open({ onWelcome: () => {}, onLost: () => {}, onRefused: () => {}, onMessage: () => {} });
  peer.welcome(welcome);
  store.set({ connection: 'online', participant: welcome.participant });
  return { peer, clock, store, line };
}
