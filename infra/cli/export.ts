/** `longhaul export`: a run's policy as a plain Hugging Face folder. */
import { cp, mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Command } from 'commander';
import { checkpointUri, FolderStore, fileHash, readJson, resultUri } from '../../activities/store/index.js';
import type { ConnectionFlags } from '../../workers/connection.js';
import type { CurriculumResult, PolicyRef, Progress } from '../../workflows/contract.js';
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

type ExportFlags = StoreFlags & StateFlags & ConnectionFlags & { optimizer?: boolean };

/** What longhaul itself needs beside the model. */
const OPTIMIZER_FILES = new Set(['optimizer.safetensors']);
const OWN_FILES = new Set(['state.json']);

export function exportCommand(): Command {
  const command = new Command('export')
    .argument('<run>', 'name of the run')
    .argument('<folder>', 'new or empty folder');
  return withConnectionFlags(
    withStateFlag(withStoreFlag(command)).option('--optimizer', "the optimiser's state too, to train on from there"),
  )
    .description("copy a run's policy out of the store, as a Hugging Face folder that transformers loads")
    .addHelpText(
      'after',
      '\nOf a finished run it is the final policy; the server is not asked. Of an unfinished one the latest, as the server knows it.',
    )
    .action(async (run: string, target: string, flags: ExportFlags) => {
      const policy = await exportPolicy(run, folder(target), flags);
      process.stdout.write(`${folder(target)}\nsha256 ${policy.sha256} (model.safetensors)\n`);
    });
}

async function exportPolicy(run: string, target: string, flags: ExportFlags): Promise<PolicyRef> {
  const store = new FolderStore(storeOf(flags));
  const policy = (await finalPolicy(store, run)) ?? (await latestPolicy(run, flags));
  const uri = checkpointUri(run, policy.name);
  if (!(await store.has(uri))) {
    throw new UserError(
      `The policy ${policy.name} of "${run}" has no snapshot in the store at ${store.root}. ` +
        'Between snapshots a policy is only its log: wait for the next one. Or is this another store (--store, LONGHAUL_STORE)?',
    );
  }
  await mkdir(target, { recursive: true });
  if ((await readdir(target)).length > 0) throw new UserError(`${target}: expected a new or an empty folder.`);
  const source = await store.localFolder(uri);
  for (const file of await readdir(source)) {
    if (OWN_FILES.has(file) || (OPTIMIZER_FILES.has(file) && !flags.optimizer)) continue;
    await cp(join(source, file), join(target, file), { recursive: true });
  }
  const written = await fileHash(join(target, 'model.safetensors'));
  if (written !== policy.sha256) {
    throw new UserError(
      `${target}/model.safetensors: expected sha256 ${policy.sha256}, found ${written}: do not use it.`,
    );
  }
  return policy;
}

async function finalPolicy(store: FolderStore, run: string): Promise<PolicyRef | null> {
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
