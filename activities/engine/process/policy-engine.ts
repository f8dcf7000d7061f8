/**
 * The engine proper, in one process: holds one policy (weights, optimiser moments, step count) and carries out the
 * operations of protocol.ts on it, one at a time. child.ts serves it over IPC.
 */
import { isDeepStrictEqual } from 'node:util';
import { fingerprintSafetensors, type Tensors, WEIGHTS_FILE, whileThere } from '../files/index.js';
import {
  ADAPTER_WEIGHTS_FILE,
  type ModelFolder,
  readAdapter,
  readModelFolder,
  writeAdapter,
  writeModelFolder,
  writeOptimizer,
} from '../folders/index.js';
import { expectProvider, type SessionSettings } from '../graph/index.js';
import { LoraMerge, modelSummary, type PromptGroup, RotaryTable } from '../model/index.js';
import {
  DEFAULT_MICRO_BATCH_TOKENS,
  type EngineOperations,
  type EngineProgress,
  EngineRequestError,
  type EngineStatus,
  type GenerateRequest,
  type GenerateResult,
  type LoadRequest,
  type LogprobsRequest,
  type ModelSummary,
  type Operation,
  type OptimizerSettings,
  type ReferenceRequest,
  type SaveRequest,
  type ScoreRequest,
  type ScoreResult,
  type SftRequest,
  type StepMetrics,
  type TruncationSettings,
  type UpdateRequest,
} from '../protocol/index.js';
import { Generator } from '../sampling/index.js';
import {
  AdamW,
  gradientNorm,
  type Objective,
  type ObjectiveFeeds,
  policyMetrics,
  policyObjective,
  rulesOf,
  sftBatch,
  type TokenResults,
  Trainer,
  tokenTargets,
} from '../training/index.js';
import { current, type LoadedPolicy, readPolicy, trained, type Weights } from './loaded-policy.js';
import { checkGroups, checkIds, checkRollouts, checkTrainable, expectFinite } from './request-checks.js';

/** What an operation tells its caller while it works. `checkpoint` also throws once the caller has cancelled. */
export interface OperationContext {
  checkpoint(done: number, total: number, unit: EngineProgress['unit']): Promise<void>;
}

interface Sessions {
  configText: string;
  trainer: Trainer;
  generator: Generator;
}

/** The policy in memory, with what computes on it. */
type Loaded = LoadedPolicy & Sessions;

export class PolicyEngine {
  private loaded: Loaded | null = null;
  private sessions: Sessions | null = null;
  private adamw: AdamW | null = null;
  private provider: Promise<void> | null = null;
  private merger: LoraMerge | null = null;

  constructor(private readonly settings: SessionSettings) {}

  /** Every operation of the protocol, by name. */
  readonly operations: {
    [O in Operation]: (request: EngineOperations[O][0], context: OperationContext) => Promise<EngineOperations[O][1]>;
  } = {
    status: () => this.status(),
    load: (request, context) => this.load(request, context),
    reference: request => this.loadReference(request),
    generate: (request, context) => this.generate(request, context),
    logprobs: (request, context) => this.logprobs(request, context),
    score: (request, context) => this.score(request, context),
    sft: (request, context) => this.sft(request, context),
    update: (request, context) => this.update(request, context),
    save: request => this.save(request),
    fingerprint: async () => ({ sha256: fingerprintSafetensors(trained(this.policy())).sha256 }),
  };

  /** Tried once, at the first operation. */
  private usableProvider(): Promise<void> {
    this.provider ??= expectProvider(this.settings.provider ?? 'cpu');
    return this.provider;
  }

  private async status(): Promise<EngineStatus> {
    await this.usableProvider();
    return {
      tag: this.loaded?.tag ?? null,
      model: this.loaded ? modelSummary(this.loaded.folder.config) : null,
      reference: this.loaded?.reference?.tag ?? null,
      pid: process.pid,
    };
  }

  private policy(): Loaded {
    if (!this.loaded) throw new EngineRequestError('no policy is loaded: call load first', 'not-loaded');
    return this.loaded;
  }

  private async load(request: LoadRequest, context: OperationContext): Promise<ModelSummary> {
    await this.usableProvider();
    this.loaded = null;
    const policy = await readPolicy(request);
    const { folder } = policy;
    await context.checkpoint(folder.tensors.size, folder.tensors.size, 'tensors');
    this.loaded = { ...policy, ...(await this.sessionsFor(folder)) };
    return modelSummary(folder.config);
  }

  private async loadReference({ directory, adapter, tag }: ReferenceRequest): Promise<Record<string, never>> {
    const policy = this.policy();
    policy.reference = null;
    // Beneath an adapter the weights stay as they were read.
    const shared = policy.adapter !== null && directory === policy.folder.directory;
    const folder = shared ? policy.folder : await readModelFolder(directory);
    const { config } = policy.folder;
    if (!isDeepStrictEqual(folder.config, config))
      throw new EngineRequestError(
        `${directory}: config.json differs from the trained policy's in ${policy.folder.directory}; expected a policy of the same model`,
      );
    const adapted = adapter ? await readAdapter(adapter.directory, config) : null;
    policy.reference = { tag, tensors: folder.tensors, adapter: adapted };
    return {};
  }

  /** Sessions are dear to make and depend on the config alone, so the policies of a run share them. */
  private async sessionsFor({ config, configText }: ModelFolder): Promise<Sessions> {
    if (this.sessions?.configText === configText) return this.sessions;
    await this.sessions?.trainer.release();
    await this.sessions?.generator.release();
    const rotary = new RotaryTable(config);
    this.sessions = {
      configText,
      trainer: new Trainer(config, rotary, this.settings),
      generator: new Generator(config, rotary, this.settings),
    };
    return this.sessions;
  }

  /** The weights as prefill and decoding take them. */
  private async sampledWeights(policy: Loaded): Promise<Tensors> {
    if (!policy.adapter) return policy.folder.tensors;
    this.merger ??= await LoraMerge.create(this.settings);
    policy.merged ??= await this.merger.merge(policy.folder.tensors, policy.adapter);
    return policy.merged;
  }

  private async generate(request: GenerateRequest, context: OperationContext): Promise<GenerateResult> {
    const { folder, generator } = this.policy();
    const { maxNewTokens } = request.sampling;
    for (const { ids } of request.prompts)
      checkIds(ids, folder.config, 'a prompt', { tokens: maxNewTokens, what: `and ${maxNewTokens} new tokens` });
    if (!(request.group >= 1))
      throw new EngineRequestError(`group is ${request.group}; expected 1 or more responses to a prompt`);
    const started = performance.now();
    const total = request.prompts.length * request.group * maxNewTokens;
    const weights = await this.sampledWeights(this.policy());
    const groups = await generator.run(weights, request, tokens => context.checkpoint(tokens, total, 'tokens'));
    return {
      groups: groups.map(responses => ({ responses })),
      newTokens: groups.flat().reduce((sum, r) => sum + r.ids.length, 0),
      promptTokens: request.prompts.reduce((sum, p) => sum + p.ids.length, 0),
      seconds: secondsSince(started),
    };
  }

  private async logprobs(
    { sequences, temperature }: LogprobsRequest,
    context: OperationContext,
  ): Promise<EngineOperations['logprobs'][1]> {
    for (const ids of sequences) checkIds(ids, this.policy().folder.config, 'a sequence');
    const scored = sequences.filter(ids => ids.length > 1);
    const groups = scored.map(ids => ({ promptIds: [ids[0]!], responses: [ids.slice(1)] }));
    const logprobs = await this.scored(current(this.policy()), groups, temperature ?? 1, context);
    let next = 0;
    return {
      logprobs: sequences.map(ids => ids.map((_, i) => (i === 0 ? null : logprobs[next++]!))),
    };
  }

  private async score(
    { groups, temperature, truncation, entropies: isAsked }: ScoreRequest,
    context: OperationContext,
  ): Promise<ScoreResult> {
    checkGroups(groups, this.policy().folder.config);
    const policy = current(this.policy());
    const { logprobs, entropies } = await this.measured(policy, groups, temperature, context, truncation);
    const byResponse = (values: Float32Array) => {
      let next = 0;
      return groups.map(({ responses }) => responses.map(ids => ids.map(() => values[next++]!)));
    };
    return { logprobs: byResponse(logprobs), ...(isAsked && { entropies: byResponse(entropies) }) };
  }

  /** Log-probabilities of all response tokens. */
  private async scored(...asked: Parameters<PolicyEngine['measured']>): Promise<Float32Array> {
    return (await this.measured(...asked)).logprobs;
  }

  /** Log-probabilities and entropies of all response tokens. */
  private measured(
    { tensors, adapter }: Weights,
    groups: readonly PromptGroup[],
    temperature: number,
    context: OperationContext,
    truncation: TruncationSettings | null = null,
  ): Promise<TokenResults> {
    return this.policy().trainer.score(tensors, groups, {
      temperature,
      truncation,
      microBatchTokens: DEFAULT_MICRO_BATCH_TOKENS,
      adapter,
      checkpoint: (done, total) => context.checkpoint(done, total, 'micro-batches'),
    });
  }

  private async sft(request: SftRequest, context: OperationContext): Promise<StepMetrics> {
    const { groups, weights } = sftBatch(request.examples);
    checkGroups(groups, this.policy().folder.config);
    const fed = { perToken: { weights }, scalars: {} };
    return this.step('likelihood', groups, fed, { ...request, temperature: 1 }, context, ({ logprobs }) => ({
      loss: -logprobs.reduce((sum, logprob, t) => sum + weights[t]! * logprob, 0),
    }));
  }

  private async update(request: UpdateRequest, context: OperationContext): Promise<EngineOperations['update'][1]> {
    const { loss } = request;
    const policy = this.policy();
    const started = performance.now();
    const groups = request.groups.map(g => ({ promptIds: g.promptIds, responses: g.responses.map(r => r.ids) }));
    checkGroups(groups, this.policy().folder.config);
    checkRollouts(request, policy.reference !== null);
    const temperature = loss.temperature || 1;
    const scores = async (weights: Weights | false | null) =>
      weights ? this.scored(weights, groups, temperature, context, loss.truncation) : null;
    const targets = tokenTargets(request.groups, loss, {
      current: await scores(rulesOf(loss.algorithm).ratio === 'sequence' && current(policy)),
      reference: await scores(loss.kl ? policy.reference : null),
    });
    const { objective, fed } = policyObjective(targets, loss);
    const metrics = await this.step(
      objective,
      groups,
      fed,
      { ...request, temperature, truncation: loss.truncation },
      context,
      ({ logprobs }) => ({
        ...policyMetrics(logprobs, targets, loss),
        reward: targets.reward,
        effectiveGroups: targets.effectiveGroups,
      }),
    );
    return { ...metrics, seconds: secondsSince(started) };
  }

  /** Gradient, checks, AdamW. Nothing is changed before the checks have passed; from then on the step is not interrupted. */
  private async step<M extends { loss: number }>(
    objective: Objective,
    groups: readonly PromptGroup[],
    fed: ObjectiveFeeds,
    request: {
      optimizer: OptimizerSettings;
      microBatchTokens: number;
      temperature: number;
      truncation?: TruncationSettings | undefined;
      tag: string;
    },
    context: OperationContext,
    measure: (results: TokenResults) => M,
  ): Promise<M & StepMetrics> {
    const policy = this.policy();
    const { adapter } = policy;
    checkTrainable(adapter);
    const started = performance.now();
    const { gradients, ...results } = await policy.trainer.gradient(objective, policy.folder.tensors, groups, fed, {
      temperature: request.temperature,
      truncation: request.truncation ?? null,
      microBatchTokens: request.microBatchTokens,
      adapter,
      checkpoint: (done, total) => context.checkpoint(done, total, 'micro-batches'),
    });
    const metrics = measure(results);
    const gradNorm = gradientNorm(gradients);
    expectFinite('loss', metrics.loss);
    expectFinite('gradient norm', gradNorm);
    policy.tag = null;
    policy.merged = null;
    await policy.generator.forgetPolicy();
    this.adamw ??= await AdamW.create(this.settings);
    await this.adamw.step(trained(policy), gradients, gradNorm, policy.optimizer, request.optimizer);
    policy.tag = request.tag;
    return {
      ...metrics,
      gradNorm,
      entropy: results.entropies.reduce((sum, e) => sum + e, 0) / results.entropies.length,
      tokens: results.logprobs.length,
      optimizerStep: policy.optimizer.step,
      seconds: secondsSince(started),
    };
  }

  private save(request: SaveRequest): Promise<EngineOperations['save'][1]> {
    return whileThere(request.directory, () => this.write(request));
  }

  private async write({ directory, withOptimizer, merged }: SaveRequest): Promise<EngineOperations['save'][1]> {
    const policy = this.policy();
    if (merged && withOptimizer)
      throw new EngineRequestError(
        "merged weights have no optimiser's state: it is the adapter's; ask for one of the two",
      );
    const { adapter, folder, optimizer } = policy;
    const tensors = await (merged ? this.sampledWeights(policy) : folder.tensors);
    const written =
      adapter && !merged
        ? { file: ADAPTER_WEIGHTS_FILE, ...(await writeAdapter(directory, adapter)) }
        : { file: WEIGHTS_FILE, ...(await writeModelFolder(directory, { ...folder, tensors })) };
    const optimizerSha256 = withOptimizer ? (await writeOptimizer(directory, optimizer)).sha256 : null;
    return { ...written, optimizerSha256 };
  }
}

const secondsSince = (started: number): number => (performance.now() - started) / 1000;
