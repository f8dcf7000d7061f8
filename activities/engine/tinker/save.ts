/** Folders of a policy on a service: PEFT's, that anybody reads, with what has the policy back on the service beside it. */
import { createHash } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { newFolder, syncDirectory, whileThere, writeSynced } from '../files/index.js';
import {
  ADAPTER_WEIGHTS_FILE,
  CONFIG_FILE,
  readModelFolder,
  readSmallFiles,
  writeAdapter,
  writeModelFolder,
} from '../folders/index.js';
import type { SessionSettings } from '../graph/index.js';
import { type Adapter, LoraMerge } from '../model/index.js';
import { engineSettings } from '../process/index.js';
import { type EngineOperations, EngineRequestError, type SaveRequest } from '../protocol/index.js';
import { adapterOf } from './adapter.js';
import type { HeldModel } from './held-model.js';
import { configOf, type Operating } from './operation.js';
import type { Base } from './policy.js';
import { SERVICE_FILE, writeServiceFile } from './service-file.js';

type Saved = EngineOperations['save'][1];

/**
 * `withOptimizer` is always so: the checkpoint on the service holds the optimiser's state.
 * @throws EngineRequestError for a merged save where the base's weights are not in its folder
 */
export async function save(operating: Operating, request: SaveRequest): Promise<Saved> {
  const { policy, signal } = operating;
  return whileThere(request.directory, async () => {
    if (policy.base) return saveBase(policy.base, request);
    const held = await policy.ready(signal);
    if (request.merged && request.withOptimizer)
      throw new EngineRequestError(
        "merged weights have no optimiser's state: it is the adapter's; ask for one of the two",
      );
    const adapter = await fetched(operating, held);
    return request.merged ? saveMerged(held, adapter, request) : saveAdapter(operating, held, adapter, request);
  });
}

/** A base's folder without its weights: those are the service's. */
async function saveBase({ directory: from, served }: Base, { directory }: SaveRequest): Promise<Saved> {
  const { configText, companions } = await readSmallFiles(from);
  await newFolder(directory);
  await writeSynced(join(directory, CONFIG_FILE), Buffer.from(configText));
  for (const [name, bytes] of companions) await writeSynced(join(directory, name), bytes);
  const bytes = await writeServiceFile(directory, { served });
  await syncDirectory(directory);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  return { file: SERVICE_FILE, sha256, bytes: bytes.length, optimizerSha256: null };
}

async function saveAdapter(
  operating: Operating,
  held: HeldModel,
  adapter: Adapter,
  { directory }: SaveRequest,
): Promise<Saved> {
  const { served, checkpoint, rank, step } = held.state;
  // Before a folder names it: what is kept is not the engine's to remove.
  await held.record({ kind: 'kept' });
  const written = await writeAdapter(directory, adapter);
  const service = operating.service.name;
  await writeServiceFile(directory, { served, checkpoint: { path: checkpoint!.path, service, rank, step } });
  await syncDirectory(directory);
  return { file: ADAPTER_WEIGHTS_FILE, ...written, optimizerSha256: null };
}

async function saveMerged(held: HeldModel, adapter: Adapter, { directory }: SaveRequest): Promise<Saved> {
  const folder = await readModelFolder(held.state.directory);
  const { threads, memory, provider } = engineSettings();
  const settings: SessionSettings = { threads, memory, provider };
  const merger = await LoraMerge.create(settings);
  try {
    const tensors = await merger.merge(folder.tensors, adapter);
    const written = await writeModelFolder(directory, { ...folder, tensors });
    return { file: 'model.safetensors', ...written, optimizerSha256: null };
  } finally {
    await merger.release();
  }
}

/** The adapter as the service has it, by way of what is kept there to sample from. */
async function fetched({ models, service, settings, signal }: Operating, held: HeldModel): Promise<Adapter> {
  const { directory, served } = held.state;
  const archive = await models.archive(await held.sampler(signal), signal);
  const what = `the adapter that ${service.name} gave`;
  await mkdir(settings.stateFolder, { recursive: true });
  return adapterOf(
    archive,
    { folder: settings.stateFolder, what },
    { config: await configOf(directory), name: served },
  );
}
