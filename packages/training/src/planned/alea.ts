const TO_UNIT = 2.3283064365386963e-10; // 2⁻³²

/**
 * Alea (Johannes Baagøe, 2010), a multiply-with-carry generator: tfjs's source of random numbers with a seed.
 *
 * @returns A function that returns the next number in [0, 1), with 32 random bits.
 */
export function alea(seed: string): () => number {
  const mash = masher();
  let [a, b, c] = [mash(' '), mash(' '), mash(' ')];
  const without = (state: number) => {
    const rest = state - mash(seed);
    return rest < 0 ? rest + 1 : rest;
  };
  a = without(a);
  b = without(b);
  c = without(c);
  let carry = 1;
  return () => {
    const t = 2_091_639 * a + carry * TO_UNIT;
    a = b;
    b = c;
    carry = Math.trunc(t);
    c = t - carry;
    return c;
  };
}

/** Baagøe's Mash: a hash of all texts so far, in [0, 1). */
function masher(): (text: string) => number {
  let n = 0xefc8249d;
  return (text) => {
    for (let i = 0; i < text.length; i++) {
      n += text.charCodeAt(i);
      let h = 0.02519603282416938 * n;
      n = h >>> 0;
      h -= n;
      h *= n;
      n = h >>> 0;
      h -= n;
      n += h * 0x100000000;
    }
    return (n >>> 0) * TO_UNIT;
  };
}
