/**
 * What the stand-in knows: models in memory, and promises, checkpoints and runs in its database, which a restart leaves. Its
 * rules are the protocol's: calls of a model are numbered, and one with the number and content of an earlier one is that one.
 */
import { createHash } from 'node:crypto';
import type { Behaviour } from './behaviour';
import { type Compute, copyOf } from './compute';
import {
  type AdamParams,
  adam,
  cloned,
  freshOptimizer,
  normOf,
  type Pending,
  reduced,
  type Weights,
} from './live-model';
import type { Datum, PassRequest } from './wire';
import { writePass, writeSamples } from './wire';

/** An answer in a result's stead. */
export class Refusal extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

export interface Promised {
  digest: string;
  /** Null until it is kept. */
  result: { json: object } | { protobuf: Uint8Array } | { refusal: Refusal } | null;
  kept: Promise<void>;
}

interface Live extends Weights {
  slot: number;
  rank: number;
  calls: number;
  /** The sampler checkpoint whose weights it was last given. */
  sampled: string | null;
}

export interface SampleRequest {
  prompt: { chunks: { tokens: number[] }[] };
  num_samples: number;
  sampling_params: {
    max_tokens: number;
    seed: number;
    temperature: number;
    top_p: number;
    top_k: number;
    stop?: number[];
  };
  model_path: string;
}

export class State {
  readonly promises = new Map<string, Promised>();
  /** Steps that were taken, in order: model and number. */
  readonly steps: string[] = [];
  readonly checkpoints = new Map<string, Weights & { rank: number }>();
  readonly samplers = new Map<string, Weights>();
  live = new Map<string, Live>();
  private pending = new Map<number, Pending[]>();
  private readonly numbered = new Map<string, string>();
  private readonly names = new Set<string>();
  /** Where sampler and trainer are apart, each does one thing at a time. */
  private readonly work = { trainer: Promise.resolve(), sampler: Promise.resolve() };
  private epoch = 0;
  private count = 0;
  private models = 0;

  constructor(
    private readonly compute: Compute,
    private readonly behaviour: Behaviour,
  ) {}

  /** The process ends and another begins with its database. */
  restart(): void {
    this.epoch++;
    this.live = new Map();
    this.pending = new Map();
    for (const promise of this.promises.values()) promise.result ??= { refusal: new Refusal(400, 'Model not loaded') };
    if (this.behaviour.restart === 'forgets') return;
    for (const [address, weights] of this.checkpoints) {
      const model = /^tinker:\/\/(.*?)\//.exec(address)![1]!;
      const slot = this.freeSlot();
      if (slot !== null)
        this.live.set(model, { ...cloned(weights), slot, rank: weights.rank, calls: 1, sampled: null });
    }
  }

  /** @param seq 0: not numbered */
  promise(
    model: string,
    seq: number,
    content: unknown,
    job: () => Promise<{ json: object } | { protobuf: Uint8Array }>,
    by: 'trainer' | 'sampler' = 'trainer',
  ): string {
    const digest = createHash('sha256').update(JSON.stringify(content)).digest('hex');
    const key = `${model}/${seq}`;
    const before = seq > 0 ? this.numbered.get(key) : undefined;
    if (before !== undefined) {
      if (this.promises.get(before)!.digest === digest) return before;
      throw new Refusal(409, `seq_id ${seq} was used with other content`);
    }
    const id = String(++this.count);
    const { epoch } = this;
    const promised: Promised = { digest, result: null, kept: Promise.resolve() };
    const whose = this.behaviour.samplesFromModel ? 'trainer' : by;
    const kept = this.work[whose].then(async () => {
      if (epoch !== this.epoch) return;
      const result = await job().catch((error: unknown) => {
        // A job's failure, whatever it is, is the promise's 400.
        if (error instanceof Refusal) return { refusal: new Refusal(400, error.message) };
        throw error;
      });
      if (epoch === this.epoch) promised.result = result;
    });
    promised.kept = kept;
    this.work[whose] = kept;
    this.promises.set(id, promised);
    if (seq > 0) this.numbered.set(key, id);
    return id;
  }

  create(base: string, rank: number, seed: number): string {
    if (base !== this.behaviour.served) throw new Refusal(400, `Base model ${base} not found`);
    if (rank > this.behaviour.maxRank)
      throw new Refusal(400, `LoRA rank ${rank} exceeds the limit of ${this.behaviour.maxRank}`);
    const slot = this.freeSlot();
    if (slot === null) throw new Refusal(400, `Maximum number of LoRA adapters (${this.behaviour.slots}) reached`);
    const model = `model_${++this.models}`;
    const adapter = this.compute.freshAdapter(rank, seed, this.behaviour.alpha);
    this.live.set(model, { ...freshOptimizer(adapter), slot, rank, calls: 0, sampled: null });
    return model;
  }

  unload(model: string): void {
    const { slot } = this.model(model);
    this.live.delete(model);
    if (!this.behaviour.leavesGradients) this.pending.delete(slot);
    if (!this.behaviour.samplersEndWithModel) return;
    for (const address of this.samplers.keys())
      if (address.startsWith(`tinker://${model}/`)) this.samplers.delete(address);
  }

  async pass({ model, data, forwardOnly, seq }: PassRequest): Promise<{ protobuf: Uint8Array }> {
    const live = this.model(model);
    live.calls++;
    const logprobs: Float32Array[] = [];
    for (const datum of data) logprobs.push(await this.one(live, datum, forwardOnly, seq));
    return { protobuf: writePass(logprobs) };
  }

  private async one(live: Live, datum: Datum, forwardOnly: boolean, call: number): Promise<Float32Array> {
    if (forwardOnly) return this.compute.logprobs(live.adapter, datum);
    const { logprobs, gradients } = await this.compute.gradient(live.adapter, datum);
    const waiting = this.pending.get(live.slot) ?? [];
    this.pending.set(live.slot, [...waiting, { call, length: datum.tokens.length - 1, gradients: copyOf(gradients) }]);
    return logprobs;
  }

  step(model: string, seq: number, params: AdamParams): { json: object } {
    const { behaviour } = this;
    const live = this.model(model);
    live.calls++;
    const gradients = reduced(this.pending.get(live.slot) ?? [], behaviour);
    this.pending.delete(live.slot);
    const norm = normOf(gradients);
    const limit = behaviour.clipping === 'obeyed' ? (params.grad_clip_norm ?? 0) : 0;
    adam(live, gradients, params, limit > 0 && norm > limit ? limit / norm : 1);
    live.sampled = null;
    this.steps.push(`${model}/${seq}`);
    if (behaviour.decaysAll)
      for (const other of this.live.values())
        if (other !== live)
          for (const { data } of other.adapter.tensors.values())
            for (let i = 0; i < data.length; i++) data[i]! *= 1 - params.learning_rate * params.weight_decay;
    return { json: { metrics: behaviour.normMetric ? { [behaviour.normMetric]: norm } : {} } };
  }

  /** @returns where it is */
  save(model: string, name: string, kind: 'weights' | 'sampler'): { json: object } {
    const live = this.model(model);
    live.calls++;
    const { samplerFolder } = this.behaviour;
    const address = `tinker://${model}/${kind === 'weights' ? 'weights/' : samplerFolder}${name}`;
    if (kind === 'weights') this.checkpoints.set(address, { ...cloned(live), rank: live.rank });
    else this.samplers.set(address, cloned(live));
    return { json: { path: address } };
  }

  /** @throws Refusal (409) of a name that is taken: saves are not told from each other by number */
  claim(model: string, kind: string, name: string): void {
    if (!/^[A-Za-z0-9_-]{1,255}$/.test(name)) throw new Refusal(422, `the name ${name} is none`);
    const key = `${model} ${kind} ${name}`;
    if (this.names.has(key)) throw new Refusal(409, `${name} already exists`);
    this.names.add(key);
  }

  loadWeights(model: string, address: string, optimizer: boolean): { json: object } {
    const live = this.model(model);
    if (live.calls > 0) throw new Refusal(400, 'LoadWeights is only permitted as the first request');
    live.calls++;
    const saved = this.checkpoints.get(address);
    if (!saved) throw new Refusal(404, `Checkpoint not found: ${address}`);
    if (saved.rank !== live.rank) throw new Refusal(400, `Rank mismatch: ${saved.rank} and ${live.rank}`);
    const { adapter, m, v, count } = cloned(saved);
    Object.assign(live, optimizer ? { adapter, m, v, count } : freshOptimizer(adapter));
    return { json: {} };
  }

  async sample({ model_path, prompt, num_samples, sampling_params }: SampleRequest): Promise<{ protobuf: Uint8Array }> {
    const { behaviour } = this;
    const ids = prompt.chunks.flatMap(({ tokens }) => tokens);
    const { max_tokens, seed, temperature, top_p, top_k, stop = [] } = sampling_params;
    const adapter = this.sampledAdapter(model_path);
    const stopIds = behaviour.endToken === null ? stop : [...stop, behaviour.endToken];
    const sampling = { temperature, topP: top_p, topK: top_k === -1 ? 0 : top_k, maxNewTokens: max_tokens, stopIds };
    const sequences = [];
    for (let i = 0; i < num_samples; i++) {
      const response = await this.compute.sample(adapter, ids, seed + i, sampling);
      if (behaviour.sampledAt === 'one') {
        const datum = { tokens: [...ids, ...response.ids], weights: null, advantages: null, logprobs: null };
        response.logprobs = [...(await this.compute.logprobs(adapter, datum))].slice(ids.length - 1);
      }
      sequences.push(response);
    }
    return { protobuf: writeSamples(sequences) };
  }

  private sampledAdapter(address: string) {
    const saved = this.samplers.get(address);
    if (!saved) throw new Refusal(404, `Checkpoint not found: ${address}`);
    const { samplesFromModel, samplesNewest, samplesOverGradients } = this.behaviour;
    if (!samplesFromModel && !samplesNewest && !samplesOverGradients) return saved.adapter;
    const live = this.model(/^tinker:\/\/(.*?)\//.exec(address)![1]!);
    if (samplesOverGradients) this.pending.delete(live.slot);
    if (samplesNewest) return live.adapter;
    if (!samplesFromModel) return saved.adapter;
    if (live.sampled !== address) live.adapter = cloned(saved).adapter;
    live.sampled = address;
    return live.adapter;
  }

  private model(id: string): Live {
    const live = this.live.get(id);
    if (!live) throw new Refusal(400, `Model ${id} not loaded`);
    return live;
  }

  private freeSlot(): number | null {
    const used = new Set([...this.live.values()].map(({ slot }) => slot));
    for (let slot = 0; slot < this.behaviour.slots; slot++) if (!used.has(slot)) return slot;
    return null;
  }
}
