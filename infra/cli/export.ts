/** `longhaul export`: a run's policy as a plain Hugging Face folder. */
import { cp, mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Command } from 'commander';
import type { CheckpointState } from '../../activities/artifacts/index.js';
import type { CurriculumResult, PolicyRef, Progress } from '../../activities/contract/index.js';
import { WEIGHTS_FILE } from '../../activities/engine/files/index.js';
import { ADAPTER_WEIGHTS_FILE } from '../../activities/engine/folders/index.js';
import { createEngine } from '../../activities/engine/process/index.js';
import { SERVICE_FILE } from '../../activities/engine/tinker/index.js';
import { openSnapshot } from '../../activities/policies/index.js';
import type { RunPlan } from '../../activities/run/index.js';
import {
  checkpointUri,
  fileHash,
  openStore,
  planUri,
  readJson,
  resultUri,
  type Store,
} from '../../activities/store/index.js';
import { createModels } from '../../activities/text/index.js';
import type { ConnectionFlags } from '../../workers/connection.js';
import { cacheFolder } from '../local/temporal-binary.js';
import { UserError } from '../user-error.js';
import {
  folder,
  type StateFlags,
  type StoreFlags,
  storeOf,
  withClient,
  withConnectionFlags,
  withStateFlag,
  withStoreFlag,
} from './options.js';

type ExportFlags = StoreFlags & StateFlags & ConnectionFlags & { optimizer?: boolean; adapter?: boolean };

/** What longhaul itself needs beside the model. */
const OPTIMIZER_FILES = new Set(['optimizer.safetensors']);
const OWN_FILES = new Set(['state.json', SERVICE_FILE]);

export function exportCommand(): Command {
  const command = new Command('export')
    .argument('<run>', 'name of the run')
    .argument('<folder>', 'new or empty folder');
  return withConnectionFlags(
    withStateFlag(withStoreFlag(command))
      .option('--optimizer', "the optimiser's state too, to train on from there")
      .option('--adapter', "of a run that trained a LoRA adapter: the adapter alone, as PEFT's folder"),
  )
    .description("copy a run's policy out of the store, as a Hugging Face folder that transformers loads")
    .addHelpText(
      'after',
      '\nA LoRA adapter is laid into the weights of its model unless --adapter is given.\n' +
        'Of a finished run it is the final policy; the server is not asked. Of an unfinished one the latest, as the server knows it.',
    )
    .action(async (run: string, target: string, flags: ExportFlags) => {
      const { file, sha256 } = await exportPolicy(run, folder(target), flags);
      process.stdout.write(`${folder(target)}\nsha256 ${sha256} (${file})\n`);
    });
}

/** The weights that were written. */
interface Exported {
  file: string;
  sha256: string;
}

async function exportPolicy(run: string, target: string, flags: ExportFlags): Promise<Exported> {
  const store = await openStore(storeOf(flags));
  const policy = (await finalPolicy(store, run)) ?? (await latestPolicy(run, flags));
  const uri = checkpointUri(run, policy.name);
  if (!(await store.has(uri))) {
    throw new UserError(
      `The policy ${policy.name} of "${run}" has no snapshot in the store at ${store.root}. ` +
        'Between snapshots a policy is only its log: wait for the next one. Or is this another store (--store, LONGHAUL_STORE)?',
    );
  }
  const source = await store.localFolder(uri, file => flags.optimizer === true || !OPTIMIZER_FILES.has(file));
  const { base, files, weights } = JSON.parse(await readFile(join(source, 'state.json'), 'utf8')) as CheckpointState;
  if (flags.adapter && !base)
    throw new UserError(`The run "${run}" trained all its weights: there is no adapter. Leave out --adapter.`);
  if (base && flags.optimizer && !flags.adapter)
    throw new UserError("--optimizer: the optimiser's state is the adapter's: give --adapter too, or leave it out.");
  if (weights === SERVICE_FILE)
    throw new UserError(
      `The newest policy of "${run}" is the model that it began with, whose weights the service has.`,
    );
  const served = SERVICE_FILE in files;
  if (served && flags.optimizer)
    throw new UserError("--optimizer: the optimiser's state is kept by the service that trained the run.");
  await mkdir(target, { recursive: true });
  if ((await readdir(target)).length > 0) throw new UserError(`${target}: expected a new or an empty folder.`);
  if (base && !flags.adapter) return merge(store, policy, target, served ? await trainedModel(store, run) : null);
  for (const file of await readdir(source)) {
    if (OWN_FILES.has(file) || (OPTIMIZER_FILES.has(file) && !flags.optimizer)) continue;
    await cp(join(source, file), join(target, file), { recursive: true });
  }
  const file = base ? ADAPTER_WEIGHTS_FILE : WEIGHTS_FILE;
  // The weights of a policy that a service trained differ from making to making: these are the snapshot's.
  const expected = files[file] ?? policy.sha256;
  const written = await fileHash(join(target, file));
  if (written !== expected) {
    throw new UserError(`${target}/${file}: expected sha256 ${expected}, found ${written}: do not use it.`);
  }
  return { file, sha256: written };
}

/** The folder of the model that a service trained an adapter of, with its weights: the store has none. */
async function trainedModel(store: Store, run: string): Promise<string> {
  const plan = await readJson<RunPlan>(store, (await store.find(planUri(run)))!);
  const models = createModels(join(cacheFolder(), 'models'));
  return (await models.resolve(plan.model, new AbortController().signal)).directory;
}

/**
 * Writes the model with the adapter in its weights.
 * @param model folder of the model, where the store has not its weights
 */
async function merge(store: Store, policy: PolicyRef, target: string, model: string | null): Promise<Exported> {
  const { folder: directory, base } = await openSnapshot(store, policy);
  const engine = createEngine();
  try {
    await engine.call('load', { directory: model ?? base!, adapter: { directory }, optimizer: null, tag: policy.name });
    const { sha256 } = await engine.call('save', { directory: target, withOptimizer: false, merged: true });
    return { file: WEIGHTS_FILE, sha256 };
  } finally {
    await engine.close();
  }
}

async function finalPolicy(store: Store, run: string): Promise<PolicyRef | null> {
  const result = await store.find(resultUri(run));
  return result ? (await readJson<CurriculumResult>(store, result)).policy : null;
}

async function latestPolicy(run: string, flags: ConnectionFlags): Promise<PolicyRef> {
  return withClient(flags, async client => {
    const { policy } = await client.workflow.getHandle(run).query<Progress>('progress');
    if (!policy) throw new UserError(`The run "${run}" has no policy yet.`);
    return policy;
  });
}
