import { CoppiceError, type Reply, type RoundEnd, type UpValue } from '@coppice/protocol';
import type { KeptAnswer, LocalState, Version } from './local-state.ts';
import type { Kept } from './train.ts';

/** Counted versions kept for each run, so that a coordinator that lost its last rounds finds the one before. */
const COUNTED_KEPT = 3;
/** Undecided versions kept for each run. Together with the counted ones, a single message can name them all. */
const STAGED_KEPT = 4;

/** Times that the coordinator is asked which answers counted, where it says that it may know later. */
const SETTLE_ATTEMPTS = 5;
/** Milliseconds before it is asked again, where it does not say. */
const SETTLE_PAUSE = 2000;

/** A question with an answer. */
export interface Question {
  readonly run: string;
  readonly ticket: string;
  readonly round: number;
  readonly attempt: number;
  /** Hash of its model. */
  readonly model: string;
}

/** An answer, and the state that becomes current once it has counted; `null`: no state. */
export interface Made {
  readonly answer: KeptAnswer;
  readonly kept: Kept | null;
}

/**
 * The answers of this device, until they are known to have counted. The state of an answer is staged on the device
 * before the answer is sent, and becomes current only when the answer counted, as announced at the end of its round or
 * by the coordinator on request. So a device that stops at any moment resumes with the state that matches the model.
 * Calls run one at a time, in order.
 */
export class Contributions {
  readonly #local: LocalState;
  readonly #ask: (run: string, tickets: string[]) => Promise<Reply<UpValue<'counted'>>>;
  /** The last answer, as long as it may have to be sent again. */
  #made: { readonly question: Question; readonly made: Made } | null = null;
  #turn: Promise<unknown> = Promise.resolve();
  /** Runs of which all versions are to be settled, and were not yet. */
  readonly #unsettled = new Set<string>();

  /** @param ask sends `counted`. */
  constructor(
    local: LocalState,
    ask: (run: string, tickets: string[]) => Promise<Reply<UpValue<'counted'>>>,
  ) {
    this.#local = local;
    this.#ask = ask;
  }

  /**
   * Returns the earlier answer to this question, from this attempt of its round or an earlier one.
   *
   * @throws CoppiceError `storage-failed`
   */
  made({ run, round, model }: Question): Promise<Made | null> {
    return this.#inTurn(async () => {
      const last = this.#made;
      if (last?.question.run === run && last.question.round === round && last.question.model === model)
        return last.made;
      const versions = await this.#local.versions(run);
      const version = versions.findLast((one) => !one.counted && one.round === round && one.model === model);
      if (version === undefined) return null;
      const answer = await this.#local.answer(run, version.ticket);
      const kept = await this.#local.kept(run, version.ticket);
      return answer === null || kept === null ? null : { answer, kept };
    });
  }

  /**
   * Stages an answer's state. Resolves when it is stored: only then may the answer be sent.
   *
   * @throws CoppiceError `storage-full`, `storage-failed`
   */
  stage(question: Question, made: Made): Promise<void> {
    return this.#inTurn(async () => {
      const { run, ticket, round, attempt, model } = question;
      const { answer, kept } = made;
      this.#made = { question, made };
      if (kept === null) return;
      const staged = (await this.#local.versions(run)).filter((one) => !one.counted && one.ticket !== ticket);
      // The same answer under the ticket of an earlier attempt.
      const [same, others] = [
        staged.filter((one) => one.round === round && one.model === model),
        staged.filter((one) => one.round !== round || one.model !== model),
      ];
      const gone = [...same, ...others.slice(0, Math.max(0, others.length - STAGED_KEPT + 1))];
      await this.#local.stage(
        run,
        { ticket, round, attempt, model },
        { kept, answer },
        gone.map((one) => one.ticket),
      );
    });
  }

  /** Discards a refused answer: it is not sent again, and cannot count. */
  refused({ run, ticket }: Question): Promise<void> {
    return this.#inTurn(() => {
      if (this.#made?.question.run === run && this.#made.question.ticket === ticket) this.#made = null;
      return this.#settle(run, new Map([[ticket, false]]));
    });
  }

  /** Settles the answers to a round by its end. */
  roundEnded({ run, round, attempt, outcome, you }: RoundEnd): Promise<void> {
    // An abandoned round is tried again, and the answer is sent again.
    if (outcome !== 'committed') return Promise.resolve();
    return this.#inTurn(async () => {
      if (this.#made?.question.run === run) this.#made = null;
      const of = (await this.#local.versions(run)).filter((one) => !one.counted && one.round === round);
      await this.#settle(
        run,
        new Map(of.map((one) => [one.ticket, one.attempt === attempt && you === 'accepted'])),
      );
    });
  }

  /**
   * Asks the coordinator which answers counted: `staged` ones, or `all`, as after a lost connection, since a restored
   * coordinator may lack rounds that counted before. Once `all` were wanted, they are asked for until they are known: a
   * device never trains from a state of which that is open.
   *
   * @param wait waits before the coordinator is asked again, where its error says `later`. Left out: it is asked once.
   * @throws CoppiceError the coordinator's error; `connection-lost`; `storage-failed` and its kin; what `wait` throws.
   */
  async settle(
    run: string,
    which: 'staged' | 'all',
    wait?: (milliseconds: number) => Promise<void>,
  ): Promise<void> {
    if (which === 'all') this.#unsettled.add(run);
    for (let attempt = 1; ; attempt++) {
      const error = await this.#inTurn(() => this.#settleOnce(run));
      if (error === null) return;
      if (error.retry !== 'later' || wait === undefined || attempt === SETTLE_ATTEMPTS) throw error;
      // Not in turn: the end of a round may settle them meanwhile.
      await wait(error.retryAfter ?? SETTLE_PAUSE);
    }
  }

  /** @returns the error of the coordinator; `null` where there is none. */
  async #settleOnce(run: string): Promise<CoppiceError | null> {
    const versions = await this.#local.versions(run);
    const asked = versions.filter((one) => !one.counted || this.#unsettled.has(run));
    const tickets = asked.map(({ ticket }) => ticket);
    if (tickets.length > 0) {
      const reply = await this.#ask(run, tickets);
      // Tickets of a run outlive the coordinator's process: invalid ones are of another run by the same name.
      if (!reply.ok && reply.error.code !== 'ticket-invalid') return CoppiceError.fromWire(reply.error);
      const counted = reply.ok ? reply.value.counted : tickets.map(() => false);
      await this.#settle(run, new Map(tickets.map((ticket, i) => [ticket, counted[i] ?? null])));
    }
    this.#unsettled.delete(run);
    return null;
  }

  /** The state after this device's last answer that counted; `null`: none. @throws CoppiceError `storage-failed` */
  current(run: string): Promise<Kept | null> {
    return this.#inTurn(async () => {
      for (const { ticket } of inOrder(await this.#local.versions(run)).reverse()) {
        const kept = await this.#local.kept(run, ticket);
        if (kept !== null) return kept;
      }
      return null;
    });
  }

  /** The runs with stored state. */
  runs(): Promise<readonly string[]> {
    return this.#inTurn(() => this.#local.runs());
  }

  /** Removes the stored state of these runs. */
  forget(wanted: (run: string) => boolean): Promise<void> {
    return this.#inTurn(async () => {
      for (const run of await this.#local.runs()) {
        if (!wanted(run)) continue;
        this.#unsettled.delete(run);
        await this.#local.forget(run);
      }
    });
  }

  /** Records verdicts, and drops the oldest counted versions. */
  async #settle(run: string, verdicts: ReadonlyMap<string, boolean | null>): Promise<void> {
    if (verdicts.size === 0) return;
    const versions = await this.#local.versions(run);
    const after = versions.map((one) => {
      const verdict = verdicts.get(one.ticket);
      return verdict === undefined ? one : { ...one, counted: verdict === true };
    });
    const tooOld = inOrder(after).slice(0, -COUNTED_KEPT);
    await this.#local.settle(
      run,
      new Map([...verdicts, ...tooOld.map(({ ticket }) => [ticket, false] as const)]),
    );
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => {});
    return done;
  }
}

/** Counted versions, sorted by round. */
function inOrder(versions: readonly Version[]): Version[] {
  return versions.filter(({ counted }) => counted).sort((a, b) => a.round - b.round);
}
