import {
  type Added,
  type Contribution,
  finish,
  giveUp,
  type Limits,
  type OwnMeans,
  ownMeans,
  type PartialContributions,
  STEP_PARAMETERS,
  type Steps,
  type Sum,
} from '@coppice/federation';
import type { Answer } from '@coppice/protocol';
import { inTurns, nextTurn } from '../turns.ts';
import type { AnswerForm } from './answer-form.ts';

/** The result of adding an answer. */
export interface Counted extends Added {
  /** The weight in the sum. */
  readonly weight: number;
  /** True where this is less than it claimed. */
  readonly capped: boolean;
  readonly means: OwnMeans;
}

export interface TallyOptions {
  readonly form: AnswerForm;
  readonly sum: Sum;
  readonly limits: Limits;
  /** The largest weight that counts for a participant. */
  readonly weightCap: (participant: string) => number;
}

/** Adds answers to the sum of an exchange, within its caps of weight and norm. */
export class Tally {
  readonly #o: TallyOptions;
  /** Additions that take several turns of the event loop. */
  readonly #underWay = new Set<Promise<unknown>>();
  /** Settles when the sum has been read; never rejects. */
  #reading: Promise<void> | null = null;

  constructor(options: TallyOptions) {
    this.#o = options;
  }

  get sum(): Sum {
    return this.#o.sum;
  }

  weightCap(participant: string): number {
    return this.#o.weightCap(participant);
  }

  /** True where answers are too large to be added in one turn of the event loop. */
  get takesTurns(): boolean {
    return this.#o.form.parameters > STEP_PARAMETERS;
  }

  /** @throws CoppiceError a fault of the answer; then nothing was added. */
  add(participant: string, answer: Answer): Counted {
    return finish(this.#steps(participant, answer));
  }

  /**
   * Adds an answer, one slice a turn of the event loop.
   *
   * @param stillWanted called before each slice; once it returns false, the partial addition is undone, in turns as well.
   * @param counted called in the turn of the last slice.
   * @returns false where the answer was no longer wanted.
   * @throws CoppiceError a fault of the answer; then nothing was added.
   */
  async addInTurns(
    participant: string,
    answer: Answer,
    stillWanted: () => boolean,
    counted: (how: Counted) => void,
  ): Promise<boolean> {
    while (this.#reading !== null) await this.#reading;
    if (!stillWanted()) return false;
    const adding = this.#inTurns(this.#steps(participant, answer), stillWanted, counted);
    this.#underWay.add(adding);
    try {
      return await adding;
    } finally {
      this.#underWay.delete(adding);
    }
  }

  /**
   * Copies the sum of the counted answers, also while others arrive: pending additions end first, and new ones over
   * several turns wait.
   *
   * @returns `null` where the sum keeps no partial sums.
   */
  async partial(): Promise<PartialContributions | null> {
    while (this.#reading !== null) await this.#reading;
    const read = Promise.allSettled([...this.#underWay]).then(() => this.sum.partial());
    // A failure is the caller's alone: additions that wait for the reading go on.
    const over = () => {
      this.#reading = null;
    };
    this.#reading = read.then(over, over);
    return read;
  }

  async #inTurns(
    steps: Steps<Counted>,
    stillWanted: () => boolean,
    counted: (how: Counted) => void,
  ): Promise<boolean> {
    for (;;) {
      const step = steps.next();
      if (step.done === true) {
        counted(step.value);
        return true;
      }
      await nextTurn();
      if (stillWanted()) continue;
      await inTurns(giveUp(steps));
      return false;
    }
  }

  *#steps(participant: string, answer: Answer): Steps<Counted> {
    const { form, sum, limits } = this.#o;
    const contribution: Contribution = yield* form.read(answer);
    const weight = Math.min(answer.weight, this.weightCap(participant));
    const added = yield* sum.add(contribution, weight, limits);
    return { weight, capped: weight < answer.weight, ...added, means: ownMeans(contribution.measures) };
  }
}
