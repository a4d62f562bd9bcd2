import { NOTHING, type Scheme } from './scheme.ts';

/** The first model for ever. */
export function never(): Scheme {
  let model = '';
  return {
    async begin({ hash }) {
      model = hash;
    },
    modelOf: () => model,
    predicted: async () => {},
    after: async () => NOTHING,
  };
}
