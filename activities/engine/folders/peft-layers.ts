/**
 * Which layers of a model PEFT's settings give an adapter, and of which rank and alpha: names, expressions and patterns are
 * read as PEFT reads them (its `check_target_module_exists` and `get_pattern_key`).
 */
import {
  type DecoderConfig,
  type LayerSettings,
  linearModules,
  nameHits,
  refuseEmbeddings,
  shortNames,
} from '../model/index.js';
import { EngineRequestError, shown } from '../protocol/index.js';
import type { PeftConfig } from './peft-config.js';
import { fullMatches } from './python-pattern.js';

export interface PeftLayers {
  /** In the model's order. */
  modules: string[];
  /** Whether `target_modules`, a list of names, says by itself which they are. */
  listed: boolean;
  /** Of the layers whose rank or alpha is not the adapter's, by name. */
  exceptions: Map<string, LayerSettings>;
}

/** Fields that hold regular expressions, or names that may be ones. */
type Field = 'target_modules' | 'exclude_modules' | 'layers_pattern' | 'rank_pattern' | 'alpha_pattern';

/**
 * @throws EngineRequestError naming the field: `bad-model` for settings that fit no layer, `unsupported` for embeddings
 */
export function peftLayers(peft: PeftConfig, model: DecoderConfig): PeftLayers {
  const linear = linearModules(model);
  const { target_modules: targets, exclude_modules: excluded, r: rank, lora_alpha: alpha } = peft;
  if (Array.isArray(targets)) refuseEmbeddings('target_modules: LoRA target', targets, model);
  const hit = chosen('target_modules', targets, linear);
  const left = chosen('exclude_modules', excluded ?? [], linear);
  const within = layersToTransform(peft, linear);
  const modules = linear.filter(module => hit.has(module) && !left.has(module) && within.has(module));
  if (modules.length === 0)
    throw new EngineRequestError(
      `target_modules: ${shown(targets)} names no linear layer of the model${narrowed(peft)}; expected names that end in one of ${shortNames(model)}`,
      'bad-model',
    );
  const rankOf = byPattern('rank_pattern', peft, linear, rank);
  const alphaOf = byPattern('alpha_pattern', peft, linear, alpha);
  const own = modules.map(module => [module, { rank: rankOf(module), alpha: alphaOf(module) }] as const);
  return {
    modules,
    listed:
      Array.isArray(targets) && modules.length === hit.size && targets.every(t => linear.some(m => nameHits(t, m))),
    exceptions: new Map(own.filter(([, layer]) => layer.rank !== rank || layer.alpha !== alpha)),
  };
}

/** Those that a list of names hits, or one expression matches whole. */
function chosen(field: Field, choice: string | readonly string[], linear: readonly string[]): Set<string> {
  if (Array.isArray(choice)) return new Set(linear.filter(module => choice.some(name => nameHits(name, module))));
  const expression = choice as string;
  if (field === 'target_modules' && expression.toLowerCase() === 'all-linear') return new Set(linear);
  return expression === '' ? new Set() : matches(field, expression, linear);
}

/** Those in the chosen layers of the model; exact names and expressions are not narrowed by it. */
function layersToTransform(peft: PeftConfig, linear: readonly string[]): Set<string> {
  const { target_modules: targets, layers_to_transform: layers, layers_pattern } = peft;
  const numbers = [layers ?? []].flat();
  if (numbers.length === 0 || !Array.isArray(targets)) return new Set(linear);
  const patterns = [layers_pattern ?? []].flat().filter(pattern => pattern !== '');
  const named = (patterns.length === 0 ? ['[^.]*'] : patterns).map(pattern =>
    matches('layers_pattern', `(?:.*\\.)?${pattern}\\.\\d+\\..*`, linear),
  );
  const inLayers = (module: string) =>
    numbers.includes(Number(/\d+/.exec(module)![0])) && named.some(hits => hits.has(module));
  return new Set(linear.filter(module => targets.includes(module) || inLayers(module)));
}

/** A layer's number by the first pattern that its name ends in, or the adapter's. */
function byPattern(
  field: 'rank_pattern' | 'alpha_pattern',
  peft: PeftConfig,
  linear: readonly string[],
  otherwise: number,
): (module: string) => number {
  const patterns = Object.entries(peft[field] ?? {}).map(
    ([pattern, value]) => [matches(field, `(.*\\.)?(${pattern})`, linear), value] as const,
  );
  return module => patterns.find(([hits]) => hits.has(module))?.[1] ?? otherwise;
}

function matches(field: Field, expression: string, linear: readonly string[]): Set<string> {
  try {
    return fullMatches(expression, linear);
  } catch (error) {
    throw new EngineRequestError(
      `${field}: the expression ${shown(expression)} cannot be used: ${(error as Error).message}`,
      'bad-model',
    );
  }
}

function narrowed({ exclude_modules: excluded, layers_to_transform: layers }: PeftConfig): string {
  const by = { exclude_modules: excluded, layers_to_transform: layers };
  const set = Object.entries(by).filter(([, value]) => value !== null && value !== undefined);
  return set.length === 0 ? '' : ` with ${set.map(([field, value]) => `${field} ${shown(value)}`).join(' and ')}`;
}
