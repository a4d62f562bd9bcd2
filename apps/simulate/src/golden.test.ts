import { describe, expect, it } from 'vitest';
import { lastCheckpoint } from './golden.testing.ts';

/*
 * The SHA-256 of the last model of simulations with the default seeds. A change of structure leaves every one of them as it
 * is; a change of what is computed says so in CHANGELOG.md and renews those that it concerns, also in golden.long.test.ts.
 */
const checkpoints: readonly (readonly [flags: string, checkpoint: string])[] = [
  ['--task iris --clients 6 --rounds 6', '48a245b1018682e5ab8b51414508a4915c6c12bddca4890b54a880e8a10883e5'],
  [
    '--task iris --clients 6 --rounds 4 --proximal 0.1 --epochs 2',
    '39f8308c2ddea945f4dd6978a68fde9e6590f529684019ebbfa0d01615a218d0',
  ],
  [
    '--task iris --clients 8 --rounds 6 --dropout 0.3 --cohort 4',
    'f017be6b38cb06eb7f63c13f19f50c41e590d3946675544568657d26dfd7234c',
  ],
  [
    '--task regression --clients 5 --rounds 5',
    'fd56d8c00d87d8d92a822d4c746d92111b46935ce70d3315aee531375344bedd',
  ],
  [
    '--clients 10 --rounds 3 --batch-size 50 --fraction 0.5',
    '0c9c208f2934a63276d3f680f4f48651ef87e88ee06869e98f6a15a85dfdc4ad',
  ],
  [
    '--clients 6 --rounds 3 --batch-size 100 --upload-codec int8 --download-codec int8 --download-form steps',
    '8d521c7692596d6a41129f9b2218c550c03f993e9d2f9a36bc2fdb54bc8ca737',
  ],
  [
    '--clients 6 --rounds 3 --batch-size 100 --upload-codec int4',
    '399a4252203bef4fe45a7aefbe23682a5bfe1d804d7501abdd074aefd8df5b0b',
  ],
  [
    '--clients 6 --rounds 3 --batch-size 100 --upload-codec top10 --partition dirichlet:0.3',
    'e647e6f1c864ba10d8bfc99e5c2722dac029e0c8c2d7535982924b3d21f26803',
  ],
  [
    '--task mnist-cnn --clients 100 --cohort 2 --rounds 1 --batch-size 100 --partition shards:2 --seed 7',
    '9ef364d3a5926fde804f6a751b096a7b3cc29b05685f38e4e0780b5772f2abfa',
  ],
  [
    '--task iris --clients 6 --rounds 4 --held-out 0.2 --evaluation-share 0.1',
    'f718609e8ab812df1a834e2e0ff282e579959cd5d2844e16b6b484d05fb133aa',
  ],
  [
    '--task iris --clients 6 --rounds 4 --held-out 0.2 --evaluation-share 0.3',
    'f9dac3a639877316aa11c6509185377c922bd6cc7a97ad155108637a9b79d522',
  ],
  [
    '--task iris --clients 6 --rounds 4 --strategy fedadam',
    '98fdc19c9d9ec1a840037c953c14bcfac64fefa037351d1c8a1d743d29b20cf7',
  ],
  [
    '--task iris --clients 6 --rounds 4 --strategy fedyogi',
    '6f27fca6bec6c8269342cde58096bdec5e8d2e9785166914ec4dcf39de81ed54',
  ],
  [
    '--task iris --clients 6 --rounds 4 --strategy scaffold',
    '19e6006df438ffe91f31e401da7db481141bc97e2530bb86f282ad93e1d760bd',
  ],
  [
    '--task iris --clients 6 --rounds 4 --strategy median',
    '23a2443150996a288f887e1b4cb920837cac0b01ba7a202e201fa9045abace72',
  ],
];

describe('the same seeds end with the same model, to the bit', () => {
  it.each(checkpoints)(
    '%s',
    async (flags, checkpoint) => {
      expect(await lastCheckpoint(flags)).toBe(checkpoint);
    },
    300_000,
  );
});
