import { kept } from './kept';

/**
 * x ← H x for the Hadamard matrix of order m in Sylvester's form, a power of two from 8 on: for h = 1, 2, 4, … m/2,
 * every pair (a, b) that lies h apart becomes (a + b, a − b). Not normalised: H H = m.
 */
export function hadamard(m: usize, x: usize): void {
  const end = x + (m << 2);
  const oneNegative = kept(i32x4(0, 0x80000000, 0, 0x80000000), m);
  const twoNegative = kept(i32x4(0, 0, 0x80000000, 0x80000000), m);
  for (let at = x; at < end; at += 16) {
    const v = v128.load(at);
    const w = f32x4.add(
      v128.shuffle<i32>(v, v, 0, 0, 2, 2),
      v128.xor(v128.shuffle<i32>(v, v, 1, 1, 3, 3), oneNegative),
    );
    v128.store(
      at,
      f32x4.add(
        v128.shuffle<i32>(w, w, 0, 1, 0, 1),
        v128.xor(v128.shuffle<i32>(w, w, 2, 3, 2, 3), twoNegative),
      ),
    );
  }
  let h: usize = 16; // bytes
  const bytes = m << 2;
  // Two stages at once, as long as there are two: what they do to a pair stays the same.
  for (; h << 1 < bytes; h <<= 2) {
    for (let block = x; block < end; block += h << 2) {
      for (let a = block; a < block + h; a += 16) {
        const b = a + h;
        const c = b + h;
        const d = c + h;
        const va = v128.load(a);
        const vb = v128.load(b);
        const vc = v128.load(c);
        const vd = v128.load(d);
        const p = f32x4.add(va, vb);
        const q = f32x4.sub(va, vb);
        const r = f32x4.add(vc, vd);
        const s = f32x4.sub(vc, vd);
        v128.store(a, f32x4.add(p, r));
        v128.store(b, f32x4.add(q, s));
        v128.store(c, f32x4.sub(p, r));
        v128.store(d, f32x4.sub(q, s));
      }
    }
  }
  if (h < bytes) {
    for (let a = x; a < x + h; a += 16) {
      const va = v128.load(a);
      const vb = v128.load(a + h);
      v128.store(a, f32x4.add(va, vb));
      v128.store(a + h, f32x4.sub(va, vb));
    }
  }
}
