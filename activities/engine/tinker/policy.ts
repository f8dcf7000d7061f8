/**
 * The policy on the service: how it gets there, and how it is had back. Whatever happens to the service or to this process,
 * the policy is the one of the last operation that ended, taken from its checkpoint onto a model of its own; only where that
 * is gone too has the caller to bring it again.
 */
import { EngineLostError, EngineRequestError, type LoadRequest, type ReferenceRequest } from '../protocol/index.js';
import { HeldModel, OtherWeightsError } from './held-model.js';
import { type CallLog, type KeptSampler, lastState, type ModelState } from './journal.js';
import type { Meaning } from './meaning.js';
import type { Models } from './models.js';
import type { RemoteModel } from './remote-model.js';
import { type Source, servedOf, sourceOf } from './source.js';
import { ServiceAwayError } from './wire/outcomes.js';
import type { Service } from './wire/service.js';

export interface PolicyContext {
  service: Service;
  models: Models;
  log: CallLog;
  now: () => number;
  /** What the service was found to do with models of this name and rank. */
  meaningOf(served: string, rank: number, signal: AbortSignal | undefined): Promise<Meaning>;
}

type Signal = AbortSignal | undefined;
type Kept = Pick<ModelState, 'checkpoint' | 'sampler' | 'beside'>;

/** A base that no adapter lies over: it can be saved, and that takes no model on the service. */
export interface Base {
  tag: string;
  served: string;
  directory: string;
}

export class Policy {
  base: Base | null = null;
  private held: HeldModel | null = null;
  private reference: { tag: string; model: RemoteModel } | null = null;
  private attached = false;

  constructor(private readonly context: PolicyContext) {}

  get state(): ModelState | null {
    return this.held?.state ?? null;
  }

  /** Whether there is none, nor one that may yet be had back. */
  get isGone(): boolean {
    return this.attached && this.held === null;
  }

  get referenceTag(): string | null {
    return this.reference?.tag ?? null;
  }

  /** @throws EngineRequestError (not-loaded) where there is none, or no longer */
  referenceModel(): RemoteModel {
    if (this.reference) return this.reference.model;
    throw new EngineRequestError(
      'the loss has a KL term and no reference policy is loaded: call reference first',
      'not-loaded',
    );
  }

  /**
   * The model with the policy in it, brought back from its checkpoint where what the service holds is not it.
   * @param fresh whether a look of just now will do
   * @throws EngineRequestError (not-loaded), EngineLostError
   */
  async ready(signal: Signal, fresh = false): Promise<HeldModel> {
    await this.attach(signal);
    const { held } = this;
    if (!held) {
      if (!this.base) throw new EngineRequestError('no policy is loaded: call load first', 'not-loaded');
      const how = 'load it with a fresh adapter, which changes nothing yet';
      throw new EngineRequestError(`a training service computes with adapters alone: ${how}`, 'unsupported');
    }
    if (held.state.open) return this.restore(held.state, signal);
    try {
      await held.expectUnchanged(signal, fresh);
      return held;
    } catch (error) {
      if (!(error instanceof EngineLostError) || error instanceof ServiceAwayError) throw error;
      await this.dropReference();
      return this.restore(held.state, signal);
    }
  }

  /** @throws EngineRequestError for what the service cannot have: `gone` for a checkpoint that is no longer there */
  async load(request: LoadRequest, signal: Signal): Promise<void> {
    const served = await servedOf(request);
    await this.letGo();
    if (!request.adapter) {
      this.base = { tag: request.tag, served, directory: request.directory };
      return;
    }
    const source = await sourceOf(request);
    const meaning = await this.context.meaningOf(served, source.rank, signal);
    source.expect(meaning, this.context.service.name);
    const { breaks } = this.context.service;
    const state = { ...EMPTY, served, rank: source.rank, meaning, directory: request.directory };
    const held = await this.model(state, source, signal);
    const { tag } = request;
    // A fresh optimiser is in no checkpoint yet.
    const loaded = source.optimizer
      ? { tag, step: source.step, checkpoint: { path: source.path!, kept: true } }
      : { tag, step: 0 };
    await held.done(loaded, breaks, signal);
    this.held = held;
  }

  /**
   * What the policy is sampled from, kept beside whatever follows it until another is kept or loaded.
   * @returns null where none of these is held or kept
   */
  async keptSampler(tags: readonly string[], signal: Signal): Promise<KeptSampler | null> {
    await this.attach(signal);
    const { state } = this;
    const beside = state?.beside ?? null;
    if (beside && tags.includes(beside.tag)) return beside;
    if (state?.tag == null || !tags.includes(state.tag)) return null;
    const sampler = await (await this.ready(signal, true)).keepSampler(signal);
    if (beside) await this.context.models.forget(beside.path, 'sampler_weights');
    return sampler;
  }

  /** One that cannot be sampled from: who asks for it anew hears that it is not there. */
  async dropSampler({ path }: KeptSampler): Promise<void> {
    if (this.state?.beside?.path !== path) return;
    await this.held!.dropSampler();
    if (this.state.sampler !== path) await this.context.models.forget(path, 'sampler_weights');
  }

  /** Beside the policy; the next `load` lets it go. */
  async loadReference(request: ReferenceRequest, signal: Signal): Promise<void> {
    const { served, rank, meaning } = (await this.ready(signal, true)).state;
    await this.dropReference();
    const source = await sourceOf({ ...request, optimizer: null }, rank);
    const model = { served, rank: source.rank, seed: source.seed };
    if (meaning.leavesGradients) await this.context.models.wash(model, signal);
    const remote = await this.context.models.create(model, signal);
    this.reference = { tag: request.tag, model: remote };
    if (source.path !== null) await remote.load(source.path, false);
  }

  /** Back to the policy before what was begun. @param clip of the step that is to be taken again */
  takeBack(held: HeldModel, clip: ModelState['clip'], signal: Signal): Promise<HeldModel> {
    return this.restore({ ...held.state, clip }, signal);
  }

  /** What is held is not to be used, nor to be brought back. */
  private async letGo(): Promise<void> {
    // Without a policy the journal may still name the model of a load that did not end.
    const state = this.state ?? (await lastState(this.context.log));
    this.attached = true;
    this.held = null;
    this.base = null;
    await this.dropReference();
    if (!state) return;
    await this.context.log.begin({ kind: 'abandoned' });
    if (state.service !== this.context.service.name) return;
    await this.context.models.unload(state.id);
    await this.forgetAll(state);
  }

  async dropReference(): Promise<void> {
    const { reference } = this;
    this.reference = null;
    if (reference) await this.context.models.unload(reference.model.id);
  }

  /** Removes what the service kept of a policy that is no longer this one, and is not sampled from beside it. */
  async forgetUnkept({ checkpoint, sampler, beside }: Kept): Promise<void> {
    const { models } = this.context;
    if (checkpoint && !checkpoint.kept) await models.forget(checkpoint.path, 'weights');
    if (sampler !== null && sampler !== beside?.path) await models.forget(sampler, 'sampler_weights');
  }

  private async forgetAll(state: Kept): Promise<void> {
    await this.forgetUnkept(state);
    if (state.beside) await this.context.models.forget(state.beside.path, 'sampler_weights');
  }

  /** What an engine before this one had there, as its journal tells. */
  async attach(signal: Signal): Promise<void> {
    if (this.attached) return;
    const state = await lastState(this.context.log);
    if (state?.tag != null && state.service === this.context.service.name) await this.restore(state, signal);
    this.attached = true;
  }

  /** The state's policy on a model of its own. @throws EngineLostError where its checkpoint is gone or is not it */
  private async restore(state: ModelState, signal: Signal): Promise<HeldModel> {
    this.held = null;
    this.attached = false;
    await this.context.models.unload(state.id);
    await this.forgetUnkept({ ...state, checkpoint: null });
    // Of a worker that was started again the service may be another too.
    const meaning = await this.context.meaningOf(state.served, state.rank, signal);
    try {
      const source = { path: state.checkpoint!.path, optimizer: true, seed: 1 };
      const held = await this.model({ ...state, meaning }, source, signal);
      await held.expectPolicy(signal);
      await held.record({ kind: 'closed' });
      this.held = held;
      this.attached = true;
      return held;
    } catch (error) {
      const gone = error instanceof EngineRequestError && error.code === 'gone';
      if (!gone && !(error instanceof OtherWeightsError)) throw error;
      const made = await lastState(this.context.log);
      await this.context.log.begin({ kind: 'abandoned' });
      if (made) {
        await this.context.models.unload(made.id);
        await this.forgetAll({ ...made, checkpoint: null, sampler: null });
      }
      this.attached = true;
      throw new EngineLostError(`${error.message} The policy is made again from the run's own log`);
    }
  }

  /** A new model with what the source names in it, in the journal before its first call. */
  private async model(
    state: Omit<ModelState, 'service' | 'id' | 'nextSeq' | 'sampler' | 'open'>,
    { seed, path, optimizer }: Pick<Source, 'seed' | 'path' | 'optimizer'>,
    signal: Signal,
  ): Promise<HeldModel> {
    const { service, models, log, now } = this.context;
    if (state.meaning.leavesGradients) await models.wash({ ...state, seed }, signal);
    const { id } = await models.create({ ...state, seed }, signal);
    const model: ModelState = { ...state, service: service.name, id, nextSeq: 1, sampler: null, open: true };
    await log.begin({ kind: 'model', ...model });
    const held = new HeldModel(service, log, model, now);
    if (path !== null) await held.calls(signal).load(path, optimizer);
    return held;
  }
}

const EMPTY = { tag: null, step: 0, canary: [], checkpoint: null, clip: null };
