import {
  CoppiceError,
  type FactsCode,
  type FailureFacts,
  type KnownFailure,
  MAX_TEXT,
  type Reason,
} from '@coppice/protocol';

/** An error with the facts behind its sentence, which other languages' sentences are made from. */
export class Failure<C extends FactsCode = FactsCode> extends CoppiceError {
  readonly facts: FailureFacts[C];

  constructor(failure: KnownFailure<C>) {
    super(failure.code, sentenceOf(failure));
    this.facts = failure.facts;
  }
}

/** An error as the reason of a round's or a run's end. */
export function reasonOf(error: CoppiceError): Reason {
  return { ...error.toWire(), ...(error instanceof Failure ? { facts: { ...error.facts } } : {}) };
}

/** An error as the data of an event. */
export function failureData({ code, message, facts }: Reason): {
  code: string;
  detail: string;
  facts?: NonNullable<Reason['facts']>;
} {
  return { code, detail: message.slice(0, MAX_TEXT), ...(facts === undefined ? {} : { facts }) };
}

function sentenceOf<C extends FactsCode>({ code, facts }: KnownFailure<C>): string {
  return sentences[code](facts);
}

const sentences: { readonly [C in FactsCode]: (facts: FailureFacts[C]) => string } = {
  'quorum-lost': ({ accepted, quorum, deadline }) =>
    `${accepted} of ${quorum} needed updates came${deadline ? ' before the deadline' : ', and too few participants are left'}.`,
  'training-diverged': (facts) =>
    facts.on === 'devices'
      ? `The training diverged on ${facts.diverged} of the ${facts.asked} devices that were asked: a loss or an update was not finite, or too large. A smaller learning rate may help.`
      : 'The new model has a loss that is not a number, so it was thrown away. A smaller learning rate may help.',
};
