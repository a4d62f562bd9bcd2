import { finish, payloadValues, takeSteps, toFloat32, wholeOf } from '@coppice/federation';
import {
  type Ask,
  type Checksum,
  CoppiceError,
  decodeFrame,
  decodeHeader,
  FROZEN_PARCEL,
  type FrameExpectation,
  frameBytes,
  frameLayout,
  isHeaderAlone,
  type Layout,
  layoutHash,
  layoutSize,
  type Model,
  type ModelParts,
  modelParts,
  modelSize,
  movesBySteps,
  type Parcel,
  type Plan,
  readFloat32Payload,
  type Up,
  weightsHash,
} from '@coppice/protocol';
import { FrozenParts } from './frozen-parts.ts';
import type { KeptParcels } from './kept-parcels.ts';
import { type FetchOptions, type HttpWay, ParcelFetcher } from './parcel-fetcher.ts';
import type { ParcelPass } from './parcel-source.ts';
import type { PieceOptions } from './pieces.ts';
import type { SavedModel } from './session-state.ts';
import type { Transport } from './transport.ts';

/** How often a model is asked for again that was replaced while it was being fetched. */
const PULLS = 3;

/** The run whose layout says how its parcels must be laid out. */
export interface ParcelForm {
  readonly run: string;
  readonly plan: Plan;
  readonly layout: Layout;
}

export interface ModelsOptions {
  readonly pull: (message: Up<'pull'>) => Promise<Model>;
  /** Asks for pieces. */
  readonly request: Transport['request'];
  readonly checksum?: Checksum | undefined;
  /** The way over HTTP; left out, all parcels come over the socket. */
  readonly http?: HttpWay | null | undefined;
  /** The public id of this participant, which opens parcels over HTTP together with a ticket; `null`: not known. */
  readonly participant?: () => string | null;
  /** Keeps frozen tensors beyond the session; left out, they are fetched once for each session. */
  readonly kept?: KeptParcels | undefined;
  /** The run that was joined; `null`: none. */
  readonly joined: () => ParcelForm | null;
}

/** The parcels of a question. */
export interface Received {
  readonly model: SavedModel;
  /** Tensors that came beside the model, by name. */
  readonly given: Readonly<Record<string, Float32Array>>;
}

/** A model as it is sent: its parcel, and that of its frozen tensors where it comes in parts. */
interface SentModel extends Parcel {
  readonly frozen?: Pick<Parcel, 'hash' | 'frame'> | undefined;
}

/** A run's layout, and the parts of it that travel by themselves; `null`: it travels as one. */
interface Form {
  readonly layout: Layout;
  readonly parts: ModelParts | null;
}

/**
 * Parcels that a coordinator sends, whichever way they come: whole, as a header whose payload is fetched in pieces, or as
 * steps from a model that is here. Keeps the model that steps begin from, and the first and the newest model for use; and
 * the tensors that nothing moves, so that they are fetched once.
 */
export class Models {
  readonly #o: ModelsOptions;
  /** Pieces are part of the message that they belong to: they have no lines of their own in the outbound log. */
  readonly #fetcher: ParcelFetcher;
  /** The last model that was received whole or by steps, where the run's models may come as steps. */
  #base: { run: string; hash: string; weights: Float32Array } | null = null;
  readonly #frozen: FrozenParts;
  #first: SavedModel | null = null;
  #latest: SavedModel | null = null;

  constructor(options: ModelsOptions) {
    this.#o = options;
    this.#fetcher = new ParcelFetcher(options.request, options.http);
    this.#frozen = new FrozenParts(options.kept);
  }

  get first(): SavedModel | null {
    return this.#first;
  }

  get latest(): SavedModel | null {
    return this.#latest;
  }

  /** Ends every fetch that is under way. */
  close(): void {
    this.#fetcher.close();
  }

  /** The hash of the model that steps may begin from; `null`: none. */
  baseOf(run: string): string | null {
    return this.#base?.run === run ? this.#base.hash : null;
  }

  /** Keeps a model for use, unless a newer one is kept. */
  keep(model: SavedModel): void {
    this.#first ??= model;
    if (this.#latest === null || model.round >= this.#latest.round) this.#latest = model;
  }

  /**
   * Fetches the current model of a run, joined or not.
   *
   * @throws CoppiceError the refusal of the coordinator, and all that `receive` throws.
   */
  async pull(run: string): Promise<SavedModel> {
    for (let pulls = 1; ; pulls++) {
      const has = this.baseOf(run);
      const { round, model, pass } = await this.#pulled(run, has);
      try {
        return { round, checkpoint: model.hash, weights: await this.#receive(run, model, { pass }) };
      } catch (thrown) {
        // A large model takes a while to fetch; a round may have ended meanwhile.
        const replaced = thrown instanceof CoppiceError && thrown.code === 'checkpoint-unknown';
        if (!replaced || pulls === PULLS) throw thrown;
      }
    }
  }

  /** The current model as it comes: in parts where this device can put them together. */
  async #pulled(
    run: string,
    has: string | null,
  ): Promise<{ round: number; model: SentModel; pass: ParcelPass | null }> {
    const parts = this.#formOf(run)?.parts != null ? { parts: true } : {};
    const asked = { run, ...(has === null ? {} : { has }), ...parts };
    const { round, checkpoint, ticket, ...sent } = await this.#o.pull(asked);
    return { round, model: { name: 'model', hash: checkpoint, ...sent }, pass: this.#passOf(ticket) };
  }

  /**
   * Receives the parcels of a question, one after the other. Where the steps of a model begin from one that is not here, or
   * do not lead to the hash that they should, the exact model is asked for.
   *
   * @param round the round that made the model.
   * @throws CoppiceError `frame-invalid`, `update-shape`, `message-invalid` where no model came; `connection-lost`,
   *   `checkpoint-unknown`; `update-late` where the model is no longer the current one; an `AbortError`.
   */
  async receive(ask: Ask, round: number, options?: PieceOptions): Promise<Received> {
    const [parcel, ...others] = ask.parcels;
    if (parcel?.name !== 'model')
      throw new CoppiceError(
        'message-invalid',
        'The message "ask" is not valid: its first parcel is no model.',
      );
    const how = { ...options, pass: this.#passOf(ask.ticket) };
    const frozen = others.find(({ name }) => name === FROZEN_PARCEL);
    const weights = await this.#receive(ask.run, { ...parcel, frozen }, how);
    const given: Record<string, Float32Array> = {};
    for (const other of others)
      if (other !== frozen) given[other.name] = await this.#beside(ask.run, other, how);
    return { model: { round, checkpoint: parcel.hash, weights }, given };
  }

  #passOf(ticket: string | undefined): ParcelPass | null {
    const participant = this.#o.participant?.() ?? null;
    return participant === null || ticket === undefined ? null : { participant, ticket };
  }

  async #receive(run: string, model: SentModel, options?: FetchOptions): Promise<Float32Array> {
    const { hash, base } = model;
    if (base === undefined) {
      const weights = await this.#whole(run, model, options);
      const joined = this.#o.joined();
      if (joined?.run === run && movesBySteps(joined.plan)) this.#base = { run, hash, weights };
      return weights;
    }
    // It may have come by itself in between.
    const known = this.#stepsFrom(run, hash);
    if (known !== null) return known;
    const from = this.#stepsFrom(run, base);
    const stepped = from === null ? null : this.#stepped(run, model, from);
    if (stepped !== null) return stepped;
    const { model: now, pass } = await this.#pulled(run, null);
    if (now.hash === hash && now.base === undefined) return this.#exact(run, now, { ...options, pass });
    throw new CoppiceError('update-late', 'The model of this round is no longer the current one.');
  }

  /** A whole model in place of steps that were of no use: what begins from it must be right. */
  async #exact(run: string, model: SentModel, options?: FetchOptions): Promise<Float32Array> {
    const weights = await this.#receive(run, model, options);
    if (weightsHash(weights) === model.hash) return weights;
    this.#base = null;
    throw new CoppiceError('frame-invalid', 'The model that came is another than its hash names.');
  }

  #stepsFrom(run: string, hash: string): Float32Array | null {
    const base = this.#base;
    return base?.run === run && base.hash === hash ? base.weights : null;
  }

  /** The weights that steps lead to; `null` where they do not lead to the model that they should. */
  #stepped(run: string, { hash, frame }: Parcel, from: Float32Array): Float32Array | null {
    const joined = this.#o.joined();
    if (joined?.run !== run)
      throw new CoppiceError('run-state', 'Steps can be read only after joining their run.');
    const { layout, plan } = joined;
    const codec = plan.downloadCodec;
    const moving = modelParts(layout)?.moving ?? layout;
    const { payload } = decodeFrame(
      frameBytes(frame),
      { ...expectationOf(moving), kind: 'steps', codec },
      this.#o.checksum,
    );
    const weights = takeSteps(codec, payload, from, layout);
    if (weightsHash(weights) !== hash) return null;
    this.#base = { run, hash, weights };
    return weights;
  }

  #formOf(run: string): Form | null {
    const joined = this.#o.joined();
    return joined?.run === run ? { layout: joined.layout, parts: modelParts(joined.layout) } : null;
  }

  /** The weights of a model that did not come as steps, whole or in parts. One that is here already is not fetched. */
  async #whole(run: string, model: SentModel, options?: FetchOptions): Promise<Float32Array> {
    const { hash, moving, frozen, frame } = model;
    const form = this.#formOf(run);
    if (moving === undefined) return this.#undivided(run, model, form?.layout ?? null, options);
    if (form === null || form.parts === null || frozen === undefined)
      throw new CoppiceError('message-invalid', 'Parts of a model came that cannot be put together.');
    const { layout, parts } = form;
    const expected = expectationOf(parts.moving);
    const here = this.#here(run, hash, frame, expected);
    if (here !== null) return here;
    const sent = await this.#values(
      run,
      { hash: moving, frame },
      { expected, layout: parts.moving, options },
    );
    const stays = await this.#frozenPart(run, frozen, { layout, frozen: parts.frozen }, options);
    const weights = finish(wholeOf(layout, { moving: sent.values, frozen: stays }));
    if (sent.exact && weightsHash(weights) !== hash) throw damaged('The model');
    return weights;
  }

  /**
   * A model that came as one. The layout of a run that was not joined is not known (`null`), so its model is held to the
   * hash that it came by.
   */
  async #undivided(
    run: string,
    { hash, frame }: SentModel,
    layout: Layout | null,
    options?: FetchOptions,
  ): Promise<Float32Array> {
    const expected: FrameExpectation =
      layout === null ? { kind: 'weights', ...frameLayout(frameBytes(frame)) } : expectationOf(layout);
    const here = this.#here(run, hash, frame, expected);
    if (here !== null) return here;
    const { values } = await this.#values(run, { hash, frame }, { expected, layout, options });
    if (layout === null && weightsHash(values) !== hash) throw damaged('The model');
    return values;
  }

  /** The exact model of this hash, where it is here and would have to be fetched; `null`: it is not, or need not be. */
  #here(run: string, hash: string, frame: Parcel['frame'], expected: FrameExpectation): Float32Array | null {
    const header = frameBytes(frame);
    if (!isHeaderAlone(header) || decodeHeader(header, expected).codec !== 'float32') return null;
    return this.#latest?.checkpoint === hash ? this.#latest.weights : this.#stepsFrom(run, hash);
  }

  /** A tensor that came beside the model, as long as it: 0 at frozen tensors. */
  async #beside(run: string, parcel: Parcel, options?: FetchOptions): Promise<Float32Array> {
    if (parcel.base !== undefined)
      throw new CoppiceError('message-invalid', 'Only a model can come as steps from another one.');
    const form = this.#formOf(run);
    if (form === null)
      throw new CoppiceError('run-state', 'A question can be read only after joining its run.');
    const layout = form.parts?.moving ?? form.layout;
    const expected = expectationOf(layout);
    const { values } = await this.#values(run, parcel, { expected, layout, options });
    return form.parts === null ? values : finish(wholeOf(form.layout, { moving: values, frozen: null }));
  }

  /** The numbers of a frame that is here, or whose payload is fetched by `hash`. */
  async #values(
    run: string,
    parcel: Pick<Parcel, 'hash' | 'frame'>,
    {
      expected,
      layout,
      options,
    }: { expected: FrameExpectation; layout: Layout | null; options: FetchOptions | undefined },
  ): Promise<{ values: Float32Array; exact: boolean }> {
    const frame = await this.#fetcher.fetch(run, parcel, expected, options);
    const sent = decodeFrame(frame, expected, this.#o.checksum);
    const exact = sent.codec === 'float32';
    const values =
      layout === null || exact ? readFloat32Payload(sent) : toFloat32(payloadValues(sent, layout));
    return { values, exact };
  }

  /** The frozen tensors of a model by this hash: those that are here, else fetched. */
  async #frozenPart(
    run: string,
    { hash, frame }: Pick<Parcel, 'hash' | 'frame'>,
    { layout, frozen }: { layout: Layout; frozen: Layout },
    options?: FetchOptions,
  ): Promise<Float32Array> {
    const there = await this.#frozen.find(hash, { layout, whole: this.#latest?.weights ?? null });
    // It may have come for another that asked, while the device was looked through.
    const here = there ?? this.#frozen.held(hash);
    if (here?.length === layoutSize(frozen)) return here;
    const expected = { ...expectationOf(frozen), codec: 'float32', separate: true } as const;
    const valuesOf = (sent: Uint8Array) => readFloat32Payload(decodeFrame(sent, expected, this.#o.checksum));
    const onWhole = (sent: Uint8Array) => {
      if (!this.#frozen.keep(hash, valuesOf(sent))) throw damaged('A part of the model');
    };
    const sent = await this.#fetcher.fetch(run, { hash, frame }, expected, { ...options, onWhole });
    const kept = this.#frozen.held(hash);
    if (kept !== null) return kept;
    // It came with the message, or that of another model took its place.
    const values = valuesOf(sent);
    if (!this.#frozen.keep(hash, values)) throw damaged('A part of the model');
    return values;
  }
}

function expectationOf(layout: Layout): FrameExpectation & { readonly kind: 'weights' } {
  return { kind: 'weights', layoutHash: layoutHash(layout), ...modelSize(layout) };
}

function damaged(what: string): CoppiceError {
  return new CoppiceError(
    'frame-invalid',
    `${what} was damaged on its way here. Ask again to have it sent anew.`,
  );
}
