import { expectTypeOf, it } from 'vitest';
import type * as declared from '../coppice.d.ts';
import * as library from './index.ts';

it('the types of the built library are those of its source', () => {
  expectTypeOf(library.connect).toExtend<typeof declared.connect>();
  expectTypeOf<keyof declared.Client>().toEqualTypeOf<keyof library.Client>();
  expectTypeOf<keyof declared.ConnectOptions>().toEqualTypeOf<keyof library.ConnectOptions>();
  expectTypeOf<declared.Prediction>().toEqualTypeOf<library.Prediction>();
  expectTypeOf<declared.RunFacts>().toExtend<library.RunFacts>();
  expectTypeOf<library.CoppiceError>().toExtend<declared.CoppiceError>();
  expectTypeOf<declared.ConnectOptions>().toExtend<library.ConnectOptions>();
  expectTypeOf<declared.PartTerms>().toEqualTypeOf<library.PartTerms>();
  expectTypeOf<declared.WatchFacts>().toEqualTypeOf<library.WatchFacts>();
  expectTypeOf<declared.PartStatus['state']>().toEqualTypeOf<library.PartStatus['state']>();
});
