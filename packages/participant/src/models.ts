import { payloadValues, takeSteps, toFloat32 } from '@coppice/federation';
import {
  type Ask,
  type Checksum,
  CoppiceError,
  decodeFrame,
  decodeHeader,
  frameBytes,
  frameLayout,
  isHeaderAlone,
  type Layout,
  layoutHash,
  type Model,
  modelSize,
  movesBySteps,
  type Parcel,
  type Plan,
  readFloat32Payload,
  type Up,
  weightsHash,
} from '@coppice/protocol';
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
  /** The run that was joined; `null`: none. */
  readonly joined: () => ParcelForm | null;
}

/** The parcels of a question. */
export interface Received {
  readonly model: SavedModel;
  /** Tensors that came beside the model, by name. */
  readonly given: Readonly<Record<string, Float32Array>>;
}

/**
 * Parcels that a coordinator sends, whichever way they come: whole, as a header whose payload is fetched in pieces, or as
 * steps from a model that is here. Keeps the model that steps begin from, and the first and the newest model for use.
 */
export class Models {
  readonly #o: ModelsOptions;
  /** Pieces are part of the message that they belong to: they have no lines of their own in the outbound log. */
  readonly #fetcher: ParcelFetcher;
  /** The last model that was received whole or by steps, where the run's models may come as steps. */
  #base: { run: string; hash: string; weights: Float32Array } | null = null;
  #first: SavedModel | null = null;
  #latest: SavedModel | null = null;

  constructor(options: ModelsOptions) {
    this.#o = options;
    this.#fetcher = new ParcelFetcher(options.request, options.http);
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
      const { round, checkpoint, ticket, ...sent } = await this.#o.pull({
        run,
        ...(has === null ? {} : { has }),
      });
      try {
        const pass = this.#passOf(ticket);
        const weights = await this.#receive(run, { name: 'model', hash: checkpoint, ...sent }, { pass });
        return { round, checkpoint, weights };
      } catch (thrown) {
        // A large model takes a while to fetch; a round may have ended meanwhile.
        const replaced = thrown instanceof CoppiceError && thrown.code === 'checkpoint-unknown';
        if (!replaced || pulls === PULLS) throw thrown;
      }
    }
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
    const weights = await this.#receive(ask.run, parcel, how);
    const given: Record<string, Float32Array> = {};
    for (const other of others) given[other.name] = await this.#whole(ask.run, other, how);
    return { model: { round, checkpoint: parcel.hash, weights }, given };
  }

  #passOf(ticket: string | undefined): ParcelPass | null {
    const participant = this.#o.participant?.() ?? null;
    return participant === null || ticket === undefined ? null : { participant, ticket };
  }

  async #receive(run: string, parcel: Parcel, options?: FetchOptions): Promise<Float32Array> {
    const { hash, base } = parcel;
    if (base === undefined) {
      const weights = await this.#whole(run, parcel, options);
      const joined = this.#o.joined();
      if (joined?.run === run && movesBySteps(joined.plan)) this.#base = { run, hash, weights };
      return weights;
    }
    // It may have come by itself in between.
    const known = this.#stepsFrom(run, hash);
    if (known !== null) return known;
    const from = this.#stepsFrom(run, base);
    const stepped = from === null ? null : this.#stepped(run, parcel, from);
    if (stepped !== null) return stepped;
    const { checkpoint, ...sent } = await this.#o.pull({ run });
    if (checkpoint === hash && sent.base === undefined)
      return this.#exact(run, { name: parcel.name, hash, frame: sent.frame }, options);
    throw new CoppiceError('update-late', 'The model of this round is no longer the current one.');
  }

  /** A whole model in place of steps that were of no use: what begins from it must be right. */
  async #exact(run: string, parcel: Parcel, options?: FetchOptions): Promise<Float32Array> {
    const weights = await this.#receive(run, parcel, options);
    if (weightsHash(weights) === parcel.hash) return weights;
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
    const form = { layoutHash: layoutHash(layout), ...modelSize(layout) };
    const { payload } = decodeFrame(frameBytes(frame), { kind: 'steps', codec, ...form }, this.#o.checksum);
    const weights = takeSteps(codec, payload, from, layout);
    if (weightsHash(weights) !== hash) return null;
    this.#base = { run, hash, weights };
    return weights;
  }

  /**
   * The numbers of a parcel that did not come as steps. A parcel that is here already is not fetched. The layout of a run
   * that was not joined is not known, so its model is held to the hash that it came by.
   */
  async #whole(
    run: string,
    { hash, base, frame }: Parcel,
    options: FetchOptions | undefined,
  ): Promise<Float32Array> {
    if (base !== undefined)
      throw new CoppiceError('message-invalid', 'Only a model can come as steps from another one.');
    const joined = this.#o.joined();
    const layout = joined?.run === run ? joined.layout : null;
    const form =
      layout === null
        ? frameLayout(frameBytes(frame))
        : { layoutHash: layoutHash(layout), ...modelSize(layout) };
    const expected = { kind: 'weights', ...form } as const;
    if (isHeaderAlone(frameBytes(frame)) && decodeHeader(frameBytes(frame), expected).codec === 'float32') {
      const known = this.#latest?.checkpoint === hash ? this.#latest.weights : null;
      const here = known ?? this.#stepsFrom(run, hash);
      if (here !== null) return here;
    }
    const sent = decodeFrame(
      await this.#fetcher.fetch(run, { hash, frame }, expected, options),
      expected,
      this.#o.checksum,
    );
    const values =
      layout === null || sent.codec === 'float32'
        ? readFloat32Payload(sent)
        : toFloat32(payloadValues(sent, layout));
    if (layout === null && weightsHash(values) !== hash) {
      throw new CoppiceError(
        'frame-invalid',
        'The model was damaged on its way here. Ask again to have it sent anew.',
      );
    }
    return values;
  }
}
