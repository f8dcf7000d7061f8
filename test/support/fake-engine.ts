/**
 * An engine without mathematics: its weights are a hash of everything that was done to them, so two histories agree in
 * the last weights only if they agree in every step. It can be told to die at its n-th call.
 */
import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type CallOptions,
  type Engine,
  EngineLostError,
  type EngineOperations,
  EngineRequestError,
  type GenerateRequest,
  type GenerateResult,
  type Operation,
} from '../../activities/engine/protocol/index.js';

const hash = (...parts: unknown[]) => createHash('sha256').update(JSON.stringify(parts)).digest('hex');
const codes = (text: string) => [...text].map(c => c.charCodeAt(0));

interface Loaded {
  tag: string;
  /** Of an adapter: its own. */
  weights: string;
  adapter: boolean;
  optimizer: string;
  config: string;
}

export class FakeEngine implements Engine {
  /** Operations asked for, in order. */
  readonly calls: Operation[] = [];
  /** Dies once, at this call (from 0). */
  dieAt: number | null = null;
  /** Refuses updates as if the loss were not a number. */
  notFinite = false;
  /** Every response to a prompt is the same: no group has variance. */
  monotonous = false;
  /** Each generate call takes so long, and can be cancelled meanwhile. */
  generateMs = 0;
  /** Engines that differ in this compute otherwise. */
  numerics = '';
  private loaded: Loaded | null = null;
  private reference: { tag: string; weights: string } | null = null;

  async call<O extends Operation>(
    operation: O,
    request: EngineOperations[O][0],
    options: CallOptions = {},
  ): Promise<EngineOperations[O][1]> {
    options.signal?.throwIfAborted();
    this.calls.push(operation);
    if (this.calls.length - 1 === this.dieAt) {
      this.forget();
      throw new EngineLostError('the fake engine was told to die');
    }
    const handler = this.handlers[operation] as (
      request: EngineOperations[O][0],
      options: CallOptions,
    ) => Promise<EngineOperations[O][1]>;
    return handler(request, options);
  }

  async close(): Promise<void> {
    this.forget();
  }

  /** Forgets what is loaded, as a new machine would know nothing. */
  forget(): void {
    this.loaded = null;
    this.reference = null;
  }

  private readonly handlers: {
    [O in Operation]: (request: EngineOperations[O][0], options: CallOptions) => Promise<EngineOperations[O][1]>;
  } = {
    status: async () => ({
      tag: this.loaded?.tag ?? null,
      model: null,
      reference: this.reference?.tag ?? null,
      pid: process.pid,
    }),
    load: async ({ directory, adapter, optimizer, tag }) => {
      this.reference = null;
      const model = await readFile(join(directory, 'model.safetensors'), 'utf8');
      const trained = adapter && 'directory' in adapter ? adapter.directory : directory;
      const weights = !adapter
        ? model
        : 'fresh' in adapter
          ? hash(model, adapter.fresh.settings, adapter.fresh.seed)
          : await readFile(join(adapter.directory, 'adapter_model.safetensors'), 'utf8');
      const stateOf = (folder: string) => readFile(join(folder, 'optimizer.safetensors'), 'utf8');
      const state =
        optimizer === null
          ? 'fresh'
          : optimizer === undefined
            ? await stateOf(trained).catch(() => 'fresh')
            : await stateOf(optimizer);
      const config = await readFile(join(directory, 'config.json'), 'utf8');
      this.loaded = { tag, weights, adapter: Boolean(adapter), optimizer: state, config };
      return {
        architecture: 'llama',
        parameters: 1,
        vocabularySize: 128,
        contextLength: 1000,
        layers: 1,
        hiddenSize: 1,
      };
    },
    reference: async ({ directory, adapter, tag }) => {
      this.need();
      const file = adapter
        ? join(adapter.directory, 'adapter_model.safetensors')
        : join(directory, 'model.safetensors');
      this.reference = { tag, weights: await readFile(file, 'utf8') };
      return {};
    },
    score: async ({ groups, truncation, entropies }) => {
      const { weights } = this.need();
      const among = truncation ? [truncation] : [];
      const fraction = (...of: unknown[]) => Number.parseInt(hash(weights, ...among, ...of).slice(0, 4), 16) / 2 ** 16;
      const eachToken = (value: (ids: number[], t: number) => number) =>
        groups.map(g => g.responses.map(ids => ids.map((_, t) => value(ids, t))));
      return {
        logprobs: eachToken((ids, t) => -fraction(ids, t)),
        ...(entropies && { entropies: eachToken((ids, t) => 2 * fraction(ids, t)) }),
      };
    },
    generate: async (request, { signal, onProgress }) => {
      const { weights } = this.need();
      onProgress?.({ operation: 'generate', done: 0, total: request.prompts.length, unit: 'tokens' });
      await pause(this.generateMs, signal);
      return this.generate(weights, request);
    },
    logprobs: async () => {
      throw new EngineRequestError('the fake engine gives no log-probabilities', 'unsupported');
    },
    sft: async ({ tag, ...request }) => {
      this.train(tag, request);
      return { loss: 1, gradNorm: 1, entropy: 1, tokens: 3, optimizerStep: 1, seconds: Math.random() };
    },
    update: async ({ tag, ...request }) => {
      if (this.notFinite) throw new EngineRequestError('the loss is NaN', 'not-finite');
      if (request.loss.kl && !this.reference) throw new EngineRequestError('no reference policy is loaded');
      this.train(tag, { ...request, ...(request.loss.kl && { reference: this.reference!.weights }) });
      return {
        ...{ loss: 0.5, gradNorm: 1, entropy: 1, tokens: 3, optimizerStep: 1, seconds: Math.random() },
        ...{ clipFraction: 0, kl: 0, logprobDifferenceMax: 0, logprobDifferenceMean: 0, reward: 0.5 },
        effectiveGroups: request.groups.length,
      };
    },
    save: async ({ directory, withOptimizer }) => {
      const { weights, adapter, optimizer, config } = this.need();
      await mkdir(directory, { recursive: true });
      if (adapter) {
        await writeFile(join(directory, 'adapter_config.json'), '{}');
        await writeFile(join(directory, 'adapter_model.safetensors'), weights);
      } else {
        await writeFile(join(directory, 'config.json'), config);
        await writeFile(join(directory, 'model.safetensors'), weights);
      }
      if (withOptimizer) await writeFile(join(directory, 'optimizer.safetensors'), optimizer);
      const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
      const optimizerSha256 = withOptimizer ? sha256(optimizer) : null;
      const file = adapter ? 'adapter_model.safetensors' : 'model.safetensors';
      return { file, sha256: sha256(weights), bytes: weights.length, optimizerSha256 };
    },
    fingerprint: async () => ({ sha256: createHash('sha256').update(this.need().weights).digest('hex') }),
  };

  private need(): Loaded {
    if (!this.loaded) throw new EngineRequestError('no policy is loaded', 'not-loaded');
    return this.loaded;
  }

  private train(tag: string, request: unknown): void {
    const { weights, optimizer, ...rest } = this.need();
    this.loaded = {
      ...rest,
      tag,
      weights: hash(weights, optimizer, request) + this.numerics,
      optimizer: hash(optimizer, request),
    };
  }

  /** Long prompts are hard: the chance of the right answer, "A", falls with length. */
  private generate(weights: string, { prompts, group }: GenerateRequest): GenerateResult {
    const groups = prompts.map(({ ids, seed }) => ({
      responses: Array.from({ length: group }, (_, i) => {
        const luck = Number.parseInt(hash(weights, ids, seed, i).slice(0, 8), 16) / 2 ** 32;
        const right = !this.monotonous && luck < 20 / ids.length;
        const response = codes(`Therefore, the answer is ${right ? 'A' : 'B'}.`);
        return { ids: response, logprobs: response.map(() => -luck), finish: 'stop' as const };
      }),
    }));
    return { groups, newTokens: 1, promptTokens: 1, seconds: 1 };
  }
}

function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  if (ms === 0) return Promise.resolve();
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal?.addEventListener('abort', () => {
      clearTimeout(timer);
      reject(signal.reason);
    });
  });
}
