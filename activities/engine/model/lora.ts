/**
 * Low-rank adapters (LoRA, arXiv 2106.09685): a linear layer's frozen W [out, in] is followed by a trained B A, so
 * y = x W^T + s (x A^T) B^T with A [rank, in], B [out, rank] and a scale s. Which layers have one, what their tensors are
 * called (PEFT's names, in training and on disk alike) and how they begin.
 */
import type { Tensors } from '../files/index.js';
import { EngineRequestError, type FreshAdapter, type LoraSettings } from '../protocol/index.js';
import { randomStream } from '../random.js';
import { type DecoderConfig, expectedTensors } from './config.js';
import { shiftLayer } from './decoder.js';

export interface Adapter {
  settings: LoraSettings;
  /** The adapted layers, in the model's order. */
  modules: readonly string[];
  /** Of the layers that have a rank or an alpha of their own, by name. */
  exceptions: ReadonlyMap<string, LayerSettings>;
  /** A and B of each of `modules`, in that order, under PEFT's names. */
  tensors: Tensors;
  /** What the adapter was trained on, in its writer's words: a folder or a name on the Hub. */
  baseModel: string | null;
  /** The probability with which its training elsewhere dropped inputs; it computes nothing outside of training. */
  dropout: number;
}

export type LayerSettings = Pick<LoraSettings, 'rank' | 'alpha'>;

/** An adapter's part in a stretch of layers, under the names that it would have in the model's first layers. */
export function adapterOfLayers(adapter: Adapter, first: number, count: number): Adapter {
  const here = adapter.modules.filter(module => {
    const layer = Number(/\d+/.exec(module)![0]);
    return first <= layer && layer < first + count;
  });
  const local = (name: string): string => shiftLayer(name, -first);
  const tensors = here.flatMap(module =>
    [loraA(module), loraB(module)].map(name => [local(name), adapter.tensors.get(name)!] as const),
  );
  const exceptions = [...adapter.exceptions].map(([module, own]) => [local(module), own] as const);
  return {
    ...adapter,
    modules: here.map(local),
    exceptions: new Map(exceptions.filter(([module]) => here.includes(shiftLayer(module, first)))),
    tensors: new Map(tensors),
  };
}

type Scaled = Pick<Adapter, 'settings' | 'exceptions'>;

/** A layer's rank and alpha. */
export const layerSettings = ({ settings, exceptions }: Scaled, module: string): LayerSettings =>
  exceptions.get(module) ?? settings;

/** What a layer's B A is multiplied by. */
export function loraScale(adapter: Scaled, module: string): number {
  const { rank, alpha } = layerSettings(adapter, module);
  return alpha / (adapter.settings.rslora ? Math.sqrt(rank) : rank);
}

/** PEFT's tensor names for a layer such as `model.layers.0.mlp.up_proj`. */
export const loraA = (module: string): string => `base_model.model.${module}.lora_A.weight`;
export const loraB = (module: string): string => `base_model.model.${module}.lora_B.weight`;

/** `up_proj` of `model.layers.0.mlp.up_proj`. */
export const lastPart = (module: string): string => module.slice(module.lastIndexOf('.') + 1);

/** What PEFT could adapt beside linear layers inside the decoder's blocks. */
export const EMBEDDING_MODULES = ['model.embed_tokens', 'lm_head'];
const LINEAR = /^(model\.layers\..*_proj)\.weight$/;

/** The layers that can have an adapter, in the model's order. */
export const linearModules = (config: DecoderConfig): string[] =>
  [...expectedTensors(config).keys()].flatMap(name => LINEAR.exec(name)?.[1] ?? []);

/** Whether a target is a layer's name, or the last parts of it. */
export const nameHits = (target: string, module: string): boolean => module === target || module.endsWith(`.${target}`);

/** The last parts of their names: `q_proj, k_proj, …`. */
export const shortNames = (config: DecoderConfig): string =>
  [...new Set(linearModules(config).map(lastPart))].join(', ');

/** @throws EngineRequestError (`unsupported`) where one of the names is an embedding's or the head's */
export function refuseEmbeddings(what: string, targets: readonly string[], config: DecoderConfig): void {
  const target = targets.find(name => EMBEDDING_MODULES.some(module => nameHits(name, module)));
  if (target === undefined) return;
  throw new EngineRequestError(`${what} '${target}' is not supported; supported: ${shortNames(config)}`, 'unsupported');
}

/**
 * The linear layers that the targets name, in the model's order.
 * @throws EngineRequestError for a target that names no layer (`bad-request`) or an embedding (`unsupported`)
 */
export function targetedModules(config: DecoderConfig, targets: LoraSettings['targetModules']): string[] {
  const linear = linearModules(config);
  if (targets === 'all-linear') return linear;
  refuseEmbeddings('LoRA target', targets, config);
  for (const target of targets)
    if (!linear.some(module => nameHits(target, module)))
      throw new EngineRequestError(
        `LoRA target '${target}' names no linear layer of the model; expected names that end in one of ${shortNames(config)}, or all-linear`,
      );
  return linear.filter(module => targets.some(target => nameHits(target, module)));
}

/** Every tensor of an adapter of these layers, A before B, with its shape. */
export function adapterShapes(
  config: DecoderConfig,
  modules: readonly string[],
  rankOf: (module: string) => number,
): Map<string, number[]> {
  const weights = expectedTensors(config);
  return new Map(
    modules.flatMap(module => {
      const rank = rankOf(module);
      const [out, into] = weights.get(`${module}.weight`) as [number, number];
      return [
        [loraA(module), [rank, into]],
        [loraB(module), [out, rank]],
      ] as [string, number[]][];
    }),
  );
}

/**
 * An adapter as PEFT begins one: A uniform over ±1/sqrt(in) (Kaiming's with a = sqrt 5), each tensor from a random stream
 * of its own, and B zero.
 * @throws EngineRequestError for a rank or alpha out of range, and what `targetedModules` refuses
 */
export function initialAdapter(config: DecoderConfig, { settings, seed, baseModel }: FreshAdapter): Adapter {
  const { rank, alpha } = settings;
  if (!Number.isInteger(rank) || rank < 1)
    throw new EngineRequestError(`LoRA rank is ${rank}; expected a whole number, 1 or more`);
  if (!Number.isFinite(alpha) || alpha <= 0)
    throw new EngineRequestError(`LoRA alpha is ${alpha}; expected a number above 0`);
  const modules = targetedModules(config, settings.targetModules);
  if (modules.length === 0) throw new EngineRequestError('LoRA has no target modules; expected one or more');
  const tensors: Tensors = new Map();
  for (const [name, shape] of adapterShapes(config, modules, () => rank)) {
    const data = new Float32Array(shape[0]! * shape[1]!);
    if (name.endsWith('.lora_A.weight')) {
      const random = randomStream(seed, 'lora', name);
      const bound = 1 / Math.sqrt(shape[1]!);
      for (let i = 0; i < data.length; i++) data[i] = bound * (2 * random.uniform() - 1);
    }
    tensors.set(name, { shape, data });
  }
  return { settings, modules, exceptions: new Map(), tensors, baseModel, dropout: 0 };
}
