/** What the stand-in computes with: our own engine's graphs, so that its arithmetic is ours to the bit. */
import type { Tensors } from '../../../activities/engine/files/index';
import { type ModelFolder, readModelFolder } from '../../../activities/engine/folders/index';
import { type Adapter, initialAdapter, LoraMerge, RotaryTable } from '../../../activities/engine/model/index';
import { DEFAULT_LORA, type GeneratedResponse, type SamplingSettings } from '../../../activities/engine/protocol/index';
import { Generator } from '../../../activities/engine/sampling/index';
import { Trainer } from '../../../activities/engine/training/index';
import type { Datum } from './wire';

const SETTINGS = { threads: 1 };

export class Compute {
  private constructor(
    private readonly folder: ModelFolder,
    private readonly trainer: Trainer,
    private readonly generator: Generator,
    private readonly merger: LoraMerge,
  ) {}

  static async open(directory: string): Promise<Compute> {
    const folder = await readModelFolder(directory);
    const rotary = new RotaryTable(folder.config);
    const trainer = new Trainer(folder.config, rotary, SETTINGS);
    return new Compute(
      folder,
      trainer,
      new Generator(folder.config, rotary, SETTINGS),
      await LoraMerge.create(SETTINGS),
    );
  }

  get vocabulary(): number {
    return this.folder.config.vocabularySize;
  }

  freshAdapter(rank: number, seed: number, alpha: number): Adapter {
    return initialAdapter(this.folder.config, { settings: { ...DEFAULT_LORA, rank, alpha }, seed, baseModel: null });
  }

  async logprobs(adapter: Adapter, datum: Datum): Promise<Float32Array> {
    const { logprobs } = await this.trainer.score(this.folder.tensors, [groupOf(datum)], options(adapter));
    return logprobs;
  }

  /** Gradient of -sum of weight times ratio times advantage (importance sampling), or of -sum of weight times log-probability. */
  async gradient(adapter: Adapter, datum: Datum): Promise<{ logprobs: Float32Array; gradients: Tensors }> {
    const weights = Float32Array.from(datum.weights ?? datum.tokens.slice(1).map(() => 1));
    const perToken = {
      weights,
      old: Float32Array.from(datum.logprobs ?? []),
      advantages: Float32Array.from(datum.advantages ?? []),
    };
    const [objective, fed] = datum.advantages
      ? (['clipped', { perToken, scalars: { ratio_low: 0, ratio_high: 1e30 } }] as const)
      : (['likelihood', { perToken: { weights }, scalars: {} }] as const);
    return this.trainer.gradient(objective, this.folder.tensors, [groupOf(datum)], fed, options(adapter));
  }

  async sample(adapter: Adapter, ids: number[], seed: number, sampling: SamplingSettings): Promise<GeneratedResponse> {
    const weights = await this.merger.merge(this.folder.tensors, adapter);
    const request = { prompts: [{ ids, seed: String(seed) }], group: 1, sampling };
    const [[response]] = (await this.generator.run(weights, request, async () => {})) as [[GeneratedResponse]];
    return response;
  }

  async release(): Promise<void> {
    await this.trainer.release();
    await this.generator.release();
    await this.merger.release();
  }
}

const groupOf = ({ tokens }: Datum) => ({ promptIds: [tokens[0]!], responses: [tokens.slice(1)] });

const options = (adapter: Adapter) => ({ temperature: 1, microBatchTokens: 4096, adapter, checkpoint: async () => {} });

export const copyOf = (tensors: Tensors): Tensors =>
  new Map([...tensors].map(([name, { shape, data }]) => [name, { shape: [...shape], data: data.slice() }]));
