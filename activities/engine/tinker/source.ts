/** What a policy on a service is made from: a fresh adapter, or a checkpoint that a saved folder names. */
import { EngineRequestError, type FreshAdapter, type LoadRequest, type LoraSettings } from '../protocol/index.js';
import { randomStream } from '../random.js';
import type { Meaning } from './meaning.js';
import { readServiceFile, SERVICE_FILE } from './service-file.js';

export interface Source {
  rank: number;
  /** Of a fresh adapter's first weights; below 2^31. */
  seed: number;
  /** Of the checkpoint on the service; null of a fresh adapter. */
  path: string | null;
  /** Whether its optimiser is taken from there too. */
  optimizer: boolean;
  /** Steps that the optimiser has taken. */
  step: number;
  /** @throws EngineRequestError where the service's adapters are not the ones that are wanted */
  expect(meaning: Meaning, service: string): void;
}

/** What the service calls the model. @throws EngineRequestError where neither request nor folder says so */
export async function servedOf({ directory, served }: Pick<LoadRequest, 'directory' | 'served'>): Promise<string> {
  const name = served ?? (await readServiceFile(directory))?.served;
  if (name !== undefined) return name;
  throw new EngineRequestError(
    `${directory}: holds no ${SERVICE_FILE}, which says what a training service calls the model; expected the folder of a base that was saved there, or \`served\` in the request`,
    'bad-model',
  );
}

/**
 * @param rank of an adapter that changes nothing, where none is named
 * @throws EngineRequestError for an adapter that the service does not have: there is no way to bring it weights
 */
export async function sourceOf(
  { adapter, optimizer }: Pick<LoadRequest, 'adapter' | 'optimizer'>,
  rank = 1,
): Promise<Source> {
  if (!adapter) return { ...NOTHING, rank, seed: 1 };
  if ('fresh' in adapter) return fresh(adapter.fresh);
  const { checkpoint } = (await readServiceFile(adapter.directory)) ?? {};
  if (!checkpoint)
    throw new EngineRequestError(
      `${adapter.directory}: holds no ${SERVICE_FILE} with a checkpoint: its weights are on no training service, and the protocol has no way to bring them there`,
      'unsupported',
    );
  const { path, step } = checkpoint;
  return { rank: checkpoint.rank, seed: 1, path, optimizer: optimizer !== null, step, expect: () => {} };
}

const NOTHING = { path: null, optimizer: false, step: 0, expect: () => {} };

function fresh({ settings, seed }: FreshAdapter): Source {
  return {
    ...NOTHING,
    rank: settings.rank,
    seed: randomStream('tinker', 'adapter', seed).below(2 ** 31),
    expect: (meaning, service) => {
      const [problem] = adapterProblems(settings, meaning);
      if (problem) throw new EngineRequestError(`${service} ${problem}`, 'unsupported');
    },
  };
}

/** What an adapter's settings ask that the service does otherwise. */
export function adapterProblems({ alpha, rslora, targetModules }: LoraSettings, meaning: Meaning): string[] {
  const { alpha: given, modules } = meaning;
  const names = targetModules === 'all-linear' ? modules : [...targetModules].sort();
  return [
    ...(alpha === given
      ? []
      : [`trains adapters with alpha ${given}, and alpha ${alpha} is wanted: set engine.lora.alpha to ${given}`]),
    ...(rslora ? ['scales adapters by alpha / rank: set its rslora to false'] : []),
    ...(names.join() === modules.join()
      ? []
      : [`trains adapters of ${modules.join(', ')}, and of ${names.join(', ')} are wanted: expected those`]),
  ];
}
