import fc from 'fast-check';

/*
 * Runs before each test file of the projects `unit` and `properties`. Every property without a seed of its own gets one here: a fixed one
 * in the ordinary suite, so that it passes or fails for what was changed; a new one for each property where `COPPICE_PROPERTY_SEED` is
 * `new`, as the long suite sets it. fast-check prints the seed of a property that fails, and a number here repeats it.
 */
const ORDINARY = '1';
const seed = process.env.COPPICE_PROPERTY_SEED || ORDINARY;
if (seed !== 'new') {
  if (!/^-?\d+$/.test(seed))
    throw new Error(`COPPICE_PROPERTY_SEED takes a whole number or "new", not "${seed}".`);
  fc.configureGlobal({ ...fc.readConfigureGlobal(), seed: Number(seed) });
}
