/**
 * Where a model comes from: a folder on this machine, or `hf:owner/name[@revision]` on the Hugging Face Hub, of which
 * the files the engine uses are kept in a cache folder, one folder a commit. A cached folder is complete or not there.
 */
import { mkdir, rename } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import {
  COMMIT,
  exists,
  Hub,
  type HubOptions,
  HubRefusal,
  INDEX_FILE,
  readIndex,
  syncDirectory,
  WEIGHTS_FILE,
} from '../files/index.js';
import { EngineRequestError } from '../protocol/index.js';
import { COMPANION_FILES, CONFIG_FILE } from './model-folder.js';

export interface ModelSource {
  /** Holds config.json, tokenizer and weights. */
  directory: string;
  /** Names the same model again: the absolute path, or `hf:owner/name@<commit>` whatever revision was asked for. */
  source: string;
}

export interface ResolveOptions extends HubOptions {
  /** Where models from the Hub are kept. */
  cacheDir: string;
  /** False where the tokenizer alone is wanted. */
  weights?: boolean;
}

/** The model as other libraries name it: a folder's path, or the Hub's `owner/name`. */
export const plainName = (model: string): string => model.replace(/^hf:([^@]+).*$/, '$1');

const HUB_MODEL = /^hf:(?<repo>[\w.-]+\/[\w.-]+)(?:@(?<revision>[\w./-]+))?$/;

/**
 * @param model a folder, or `hf:owner/name[@revision]`; the revision is a branch, tag or commit, `main` unless given.
 * @throws EngineRequestError for what no second try mends (no such folder, model or revision, no access, no safetensors);
 * the network's own errors otherwise, with what to do about them.
 */
export async function resolveModel(model: string, options: ResolveOptions): Promise<ModelSource> {
  if (!model.startsWith('hf:')) return localFolder(model);
  const { repo, revision = 'main' } = HUB_MODEL.exec(model)?.groups ?? {};
  if (!repo) {
    throw new EngineRequestError(
      `model '${model}': expected hf:owner/name or hf:owner/name@revision, or a folder's path`,
    );
  }
  const hub = new Hub({ type: 'model', name: repo }, options);
  const cached = hub.cacheFolder(options.cacheDir);
  try {
    const commit = COMMIT.test(revision) ? revision : await hub.commitOf(revision);
    const whole = join(cached, commit);
    const withWeights = options.weights !== false || (await exists(whole));
    const directory = withWeights ? whole : `${whole}.tokenizer`;
    if (!(await exists(directory))) await download(hub, commit, directory, withWeights);
    return { directory, source: `hf:${repo}@${commit}` };
  } catch (error) {
    if (error instanceof EngineRequestError) throw error;
    const explained = await hub.explained(error, model, cached);
    throw explained instanceof HubRefusal ? new EngineRequestError(explained.message, 'bad-model') : explained;
  }
}

async function localFolder(model: string): Promise<ModelSource> {
  const directory = resolve(model);
  if (await exists(join(directory, CONFIG_FILE))) return { directory, source: directory };
  throw new EngineRequestError(
    `model '${model}': ${directory} holds no ${CONFIG_FILE}; expected a Hugging Face model folder, or hf:owner/name`,
    'bad-model',
  );
}

/** Files arrive in a folder beside the final one, which takes the final name last; files already there are not fetched again. */
async function download(hub: Hub, commit: string, directory: string, withWeights: boolean): Promise<void> {
  const arriving = `${directory}.partial`;
  await mkdir(arriving, { recursive: true });
  const files = new Map((await hub.files(commit)).map(entry => [entry.path, entry]));
  const pinned = `hf:${hub.repo.name}@${commit}`;
  const fetchAll = async (names: Iterable<string>) => {
    for (const name of names) {
      const entry = files.get(name);
      if (!entry) throw new EngineRequestError(`${pinned} holds no ${name}`, 'bad-model');
      await hub.fetchFile(commit, entry, arriving);
    }
  };
  if (withWeights && !files.has(WEIGHTS_FILE) && !files.has(INDEX_FILE)) {
    throw new EngineRequestError(
      `${pinned} holds neither ${WEIGHTS_FILE} nor ${INDEX_FILE}; expected a model with safetensors weights`,
      'bad-model',
    );
  }
  await fetchAll([CONFIG_FILE, ...COMPANION_FILES.filter(name => files.has(name))]);
  if (withWeights && files.has(WEIGHTS_FILE)) {
    await fetchAll([WEIGHTS_FILE]);
  } else if (withWeights) {
    await fetchAll([INDEX_FILE]);
    await fetchAll(new Set((await readIndex(join(arriving, INDEX_FILE))).values()));
  }
  await syncDirectory(arriving);
  await rename(arriving, directory).catch(async error => {
    // Another process was first: equal commits have equal content.
    if (!(await exists(directory))) throw error;
  });
  await syncDirectory(dirname(directory));
}
