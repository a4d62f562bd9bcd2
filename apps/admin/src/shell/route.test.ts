import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Route, readRoute, writeRoute } from './route.ts';

const id = fc.stringMatching(/^[a-z0-9][a-z0-9-]{0,20}$/);
const route: fc.Arbitrary<Route> = fc.oneof(
  fc.constant<Route>({ view: 'runs' }),
  fc.constant<Route>({ view: 'new-task' }),
  fc.constant<Route>({ view: 'access' }),
  id.map((code): Route => ({ view: 'join', code })),
  id.map((run): Route => ({ view: 'run', run })),
  fc.tuple(fc.option(id), fc.option(id)).map(([task, from]): Route => ({ view: 'launch', task, from })),
  fc
    .tuple(fc.option(id), fc.option(fc.nat()))
    .map(([task, period]): Route => ({ view: 'monitoring', task, period })),
  id.map((task): Route => ({ view: 'policy', task })),
  fc.array(id).map((runs): Route => ({ view: 'compare', runs })),
);

describe('the route', () => {
  it('is the same after going through the address', () => {
    fc.assert(
      fc.property(route, (given) => {
        expect(readRoute(writeRoute(given))).toEqual(given);
      }),
    );
  });

  it('is the list of runs for an address that means nothing', () => {
    for (const hash of ['', '#', '#main', '#run=']) expect(readRoute(hash)).toEqual({ view: 'runs' });
  });
});
