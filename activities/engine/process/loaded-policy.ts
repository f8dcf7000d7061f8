/** The policy an engine holds: weights or an adapter over them, the optimiser's state, a reference; and how they are read. */
import type { Tensors } from '../files/index.js';
import {
  hasOptimizer,
  type ModelFolder,
  type OptimizerState,
  readAdapter,
  readModelFolder,
  readOptimizer,
} from '../folders/index.js';
import { type Adapter, type DecoderConfig, initialAdapter } from '../model/index.js';
import type { LoadRequest } from '../protocol/index.js';

/** Weights to compute with, adapted or not. */
export interface Weights {
  tensors: Tensors;
  adapter: Adapter | null;
}

export interface LoadedPolicy {
  tag: string | null;
  folder: ModelFolder;
  /** Trained in the folder's weights' stead. */
  adapter: Adapter | null;
  /** The weights with the adapter in them, once they are asked for; a step makes them stale. */
  merged: Tensors | null;
  optimizer: OptimizerState;
  /** The policy that a KL term holds it near. */
  reference: (Weights & { tag: string }) | null;
}

/** Reads what the request names. @throws EngineRequestError (bad-model) naming the file and what is wrong with it */
export async function readPolicy(request: LoadRequest): Promise<LoadedPolicy> {
  const folder = await readModelFolder(request.directory);
  const adapter = await openAdapter(request, folder.config);
  const optimizer = await openOptimizer(request, trained({ adapter, folder }));
  return { tag: request.tag, folder, adapter, merged: null, optimizer, reference: null };
}

export const current = ({ folder, adapter }: LoadedPolicy): Weights => ({ tensors: folder.tensors, adapter });

/** What steps change, and the optimiser's state is of. */
export function trained({ adapter, folder }: Pick<LoadedPolicy, 'adapter' | 'folder'>): Tensors {
  return adapter?.tensors ?? folder.tensors;
}

async function openAdapter({ adapter }: LoadRequest, config: DecoderConfig): Promise<Adapter | null> {
  if (!adapter) return null;
  return 'fresh' in adapter ? initialAdapter(config, adapter.fresh) : readAdapter(adapter.directory, config);
}

/** @param tensors that the state must be of */
async function openOptimizer(request: LoadRequest, tensors: Tensors): Promise<OptimizerState> {
  const { adapter, directory, optimizer } = request;
  const own = !adapter ? directory : 'directory' in adapter ? adapter.directory : null;
  const beside = own !== null && (await hasOptimizer(own)) ? own : null;
  const source = optimizer === undefined ? beside : optimizer;
  if (source === null) return { step: 0, m: new Map(), v: new Map() };
  return readOptimizer(source, new Map([...tensors].map(([name, { shape }]) => [name, shape])));
}
