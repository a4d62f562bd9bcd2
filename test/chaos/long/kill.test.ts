import { afterEach, describe, it } from 'vitest';
import { dieAtEach, FAILPOINTS, plans } from '../kills.ts';
import { stopAll } from '../world.ts';

afterEach(stopAll);

describe('a coordinator that is killed (SIGKILL)', () => {
  it.for(plans)(
    'at every step of a round, makes the model it would have made, $how',
    { timeout: 600_000 },
    ({ plan }, { signal }) => dieAtEach(FAILPOINTS, plan, signal),
  );
});
