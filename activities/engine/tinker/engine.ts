/**
 * An engine that is a training service: the protocol's operations, one at a time, on models of its own there. Its answers
 * are our own engine's within rounding, for the same weights and requests; what a service gives in the stead of equal bits is
 * a tolerance, which its trial measures.
 */
import { createHash } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { modelSummary } from '../model/index.js';
import {
  type CallOptions,
  type Engine,
  EngineLostError,
  type EngineOperations,
  type EngineProgress,
  EngineRequestError,
  type Operation,
  type Sampler,
  type ServedModel,
  type ServiceNeeds,
  type ServiceReport,
  type TrainingService,
} from '../protocol/index.js';
import { decaysOthers, overlapProblem } from './disturbances.js';
import { examined, expectServed, servedModels } from './examine.js';
import { generate, generateBeside, SamplerGoneError } from './generate.js';
import { type CallLog, FileCallLog } from './journal.js';
import type { Meaning } from './meaning.js';
import { Models } from './models.js';
import { configOf, type Operating } from './operation.js';
import { Policy } from './policy.js';
import { save } from './save.js';
import { logprobs, score } from './scores.js';
import { readServiceFile } from './service-file.js';
import { TINKER_DEFAULTS, type TinkerSettings, type WholeSettings } from './settings.js';
import { type TrialContext, tryService } from './trial.js';
import { sft, update } from './updates.js';
import { Service } from './wire/service.js';

/** Milliseconds between signs of life of an operation that waits for the service. */
const TICK = 1000;

/**
 * @param log of what is under way there; in the settings' folder unless another is given
 * @throws EngineRequestError for an address or a key that cannot be used
 */
export function createTinkerEngine(
  settings: TinkerSettings,
  log: CallLog = new FileCallLog(settings.stateFolder),
): Engine & TrainingService {
  return new TinkerEngine({ ...TINKER_DEFAULTS, ...settings }, log);
}

type Operations = {
  [O in Operation]: (request: EngineOperations[O][0], operating: Operating) => Promise<EngineOperations[O][1]>;
};

class TinkerEngine implements Engine, TrainingService {
  private readonly service: Service;
  private readonly models: Models;
  private readonly policy: Policy;
  private readonly meanings = new Map<string, Promise<Meaning>>();
  /** One operation at a time, in the order they came. */
  private queue: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly settings: WholeSettings,
    log: CallLog,
  ) {
    this.service = new Service(settings);
    this.models = new Models(this.service);
    this.policy = new Policy({
      service: this.service,
      models: this.models,
      log,
      now: settings.clock.now,
      meaningOf: (served, rank, signal) => this.meaningOf(served, rank, signal),
    });
  }

  private readonly operations: Operations = {
    status: (_request, { signal }) => this.status(signal),
    load: async (request, { signal }) => {
      const shape = modelSummary(await configOf(request.directory));
      await this.policy.load(request, signal);
      return shape;
    },
    reference: async (request, { signal }) => {
      await this.policy.loadReference(request, signal);
      return {};
    },
    generate: (request, operating) => generate(operating, request),
    logprobs: (request, operating) => logprobs(operating, request),
    score: (request, operating) => score(operating, request),
    sft: (request, operating) => sft(operating, request),
    update: (request, operating) => update(operating, request),
    save: (request, operating) => save(operating, request),
    fingerprint: async () => ({ sha256: createHash('sha256').update(this.tag()).digest('hex') }),
  };

  call<O extends Operation>(
    operation: O,
    request: EngineOperations[O][0],
    options: CallOptions = {},
  ): Promise<EngineOperations[O][1]> {
    const work = (operating: Operating) => this.operations[operation](request, operating);
    return this.queued(() => this.told(operation, work, options), options.signal);
  }

  /** @param work whose progress is told, in any case now and then */
  private async told<T>(
    operation: Operation,
    work: (operating: Operating) => Promise<T>,
    { signal, onProgress }: CallOptions,
  ): Promise<T> {
    let last: EngineProgress = { operation, done: 0, total: 1, unit: 'micro-batches' };
    const report = () => onProgress?.(last);
    const ticking = setInterval(report, TICK);
    const progress: Operating['progress'] = (done, total, unit) => {
      last = { operation, done, total, unit };
      report();
    };
    const { settings, service, models, policy } = this;
    try {
      return await work({ settings, service, models, policy, signal, progress });
    } finally {
      clearInterval(ticking);
    }
  }

  async sampler(tags: readonly string[], { signal }: CallOptions = {}): Promise<Sampler | null> {
    const kept = await this.queued(() => this.policy.keptSampler(tags, signal), signal);
    if (!kept) return null;
    return {
      generate: async (request, options = {}) => {
        try {
          return await this.told('generate', operating => generateBeside(operating, kept, request), options);
        } catch (error) {
          // Whoever asks for it anew then hears that it is not there.
          if (error instanceof SamplerGoneError) await this.queued(() => this.policy.dropSampler(kept), undefined);
          throw error;
        }
      },
    };
  }

  async serves({ signal }: CallOptions = {}): Promise<ServedModel[]> {
    return (await servedModels(this.service, signal)) ?? [];
  }

  examine(needs: ServiceNeeds, { signal }: CallOptions = {}): Promise<ServiceReport> {
    return this.queued(() => {
      const { model: served } = needs;
      const trials = {
        meaningOf: (rank: number) => this.meaningOf(served, rank, signal),
        decaysOthers: (rank: number) => decaysOthers(this.trialContext(signal), { served, rank }),
        overlapProblem: (rank: number, { normMetric }: Meaning) =>
          overlapProblem(this.trialContext(signal), { served, rank }, normMetric),
      };
      return examined(this.service, needs, trials, signal);
    }, signal);
  }

  async discard(directory: string): Promise<void> {
    const { checkpoint } = (await readServiceFile(directory)) ?? {};
    if (checkpoint?.service === this.service.name) await this.models.forget(checkpoint.path, 'weights');
  }

  /** What is held on the service stays there, to be gone on with by the next engine in this folder. */
  async close(): Promise<void> {
    this.models.close();
  }

  private queued<T>(work: () => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
    const turn = this.queue.then(() => {
      signal?.throwIfAborted();
      return work();
    });
    this.queue = turn.catch(() => {});
    return turn;
  }

  private async status(signal: AbortSignal | undefined): Promise<EngineOperations['status'][1]> {
    const { policy } = this;
    const nothing = { tag: policy.base?.tag ?? null, model: null, reference: null, pid: process.pid };
    if (policy.base) return { ...nothing, model: modelSummary(await configOf(policy.base.directory)) };
    try {
      const { state } = await policy.ready(signal, true);
      return {
        ...nothing,
        tag: state.tag,
        model: modelSummary(await configOf(state.directory)),
        reference: policy.referenceTag,
      };
    } catch (error) {
      const none = error instanceof EngineRequestError && error.code === 'not-loaded';
      // What may still be had back at another try is not given up.
      if (!none && !(error instanceof EngineLostError && policy.isGone)) throw error;
      return nothing;
    }
  }

  private tag(): string {
    const tag = this.policy.base?.tag ?? this.policy.state?.tag;
    if (tag != null) return tag;
    throw new EngineRequestError('no policy is loaded: call load first', 'not-loaded');
  }

  private meaningOf(served: string, rank: number, signal: AbortSignal | undefined): Promise<Meaning> {
    const key = `${rank} ${served}`;
    const known = this.meanings.get(key);
    if (known) return known;
    const found = this.findMeaning(served, rank, signal);
    this.meanings.set(key, found);
    found.catch(() => this.meanings.delete(key));
    return found;
  }

  private async findMeaning(served: string, rank: number, signal: AbortSignal | undefined): Promise<Meaning> {
    await mkdir(this.settings.stateFolder, { recursive: true });
    await expectServed(this.service, served, signal);
    return tryService(this.trialContext(signal), { served, rank });
  }

  private trialContext(signal: AbortSignal | undefined): TrialContext {
    const { service, models } = this;
    return { service, models, folder: this.settings.stateFolder, signal };
  }
}
