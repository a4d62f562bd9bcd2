import { SPREAD_PARTICIPANTS } from '@coppice/federation';

/**
 * A number that participants are told, made of the numbers of some of them. Where fewer than five others have a part in
 * it, it is rounded up to a power of two, so that it does not show what one of them sent.
 *
 * @param from the number of participants that it is made of, the one that is told included.
 */
export function coarse(value: number, from: number): number {
  if (from > SPREAD_PARTICIPANTS || !(value > 0)) return value;
  const power = 2 ** Math.floor(Math.log2(value));
  return power >= value ? power : 2 * power;
}
