/**
 * Where a model comes from: a folder on this machine, or `hf:owner/name[@revision]` on the Hugging Face Hub, of which
 * the files the engine uses are kept in a cache folder, one folder a commit. A cached folder is complete or not there.
 */
import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ReadableStream } from 'node:stream/web';
import { downloadFile, HubApiError, type ListFileEntry, listFiles, modelInfo } from '@huggingface/hub';
import { exists, syncDirectory } from './files.js';
import { COMPANION_FILES, CONFIG_FILE } from './model-folder.js';
import { EngineRequestError } from './protocol.js';
import { INDEX_FILE, readIndex, WEIGHTS_FILE } from './weights.js';

export interface ModelSource {
  /** Holds config.json, tokenizer and weights. */
  directory: string;
  /** Names the same model again: the absolute path, or `hf:owner/name@<commit>` whatever revision was asked for. */
  source: string;
}

export interface ResolveOptions {
  /** Where models from the Hub are kept. */
  cacheDir: string;
  signal?: AbortSignal;
  /** False where the tokenizer alone is wanted. */
  weights?: boolean;
  /** Bytes of the file in hand, done and in all. */
  onProgress?: (file: string, done: number, total: number) => void;
  /** HF_ENDPOINT (another Hub) and HF_TOKEN (for private and gated models) are looked up here. */
  environment?: NodeJS.ProcessEnv;
}

/** The model as other libraries name it: a folder's path, or the Hub's `owner/name`. */
export const plainName = (model: string): string => model.replace(/^hf:([^@]+).*$/, '$1');

const HUB_MODEL = /^hf:(?<repo>[\w.-]+\/[\w.-]+)(?:@(?<revision>[\w./-]+))?$/;
const COMMIT = /^[0-9a-f]{40}$/;
const DEFAULT_ENDPOINT = 'https://huggingface.co';

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
  const hub = new Hub(repo, options);
  const cached = join(options.cacheDir, repo.replace('/', '--'));
  try {
    const commit = COMMIT.test(revision) ? revision : await hub.commitOf(revision);
    const whole = join(cached, commit);
    const withWeights = options.weights !== false || (await exists(whole));
    const directory = withWeights ? whole : `${whole}.tokenizer`;
    if (!(await exists(directory))) await download(hub, commit, directory, withWeights);
    return { directory, source: `hf:${repo}@${commit}` };
  } catch (error) {
    throw await explained(error, model, repo, cached, hub.endpoint);
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

/** One model on the Hub, as its own library reaches it. */
class Hub {
  readonly endpoint: string;
  private readonly request;

  constructor(
    readonly repo: string,
    readonly options: ResolveOptions,
  ) {
    const { HF_ENDPOINT, HF_TOKEN } = options.environment ?? process.env;
    this.endpoint = (HF_ENDPOINT || DEFAULT_ENDPOINT).replace(/\/+$/, '');
    const { signal } = options;
    this.request = {
      hubUrl: this.endpoint,
      ...(HF_TOKEN ? { accessToken: HF_TOKEN } : {}),
      ...(signal ? { fetch: ((url, init) => fetch(url, { ...init, signal })) satisfies typeof fetch } : {}),
    };
  }

  async commitOf(revision: string): Promise<string> {
    const { sha } = await modelInfo({ ...this.request, name: this.repo, revision, additionalFields: ['sha'] });
    // It becomes a folder's name.
    if (!COMMIT.test(sha)) throw new Error(`the Hub gave '${sha}' as commit; expected 40 hexadecimal digits`);
    return sha;
  }

  /** The files at the top of the repository. */
  async files(commit: string): Promise<Map<string, ListFileEntry>> {
    const files = new Map<string, ListFileEntry>();
    for await (const entry of listFiles({ ...this.request, repo: this.repo, revision: commit })) {
      if (entry.type === 'file' && basename(entry.path) === entry.path) files.set(entry.path, entry);
    }
    return files;
  }

  /** Puts one file into the folder under its own name once all of it is there, and is what the Hub says it is. */
  async fetchFile(commit: string, entry: ListFileEntry, directory: string): Promise<void> {
    const target = join(directory, entry.path);
    if (await exists(target)) return;
    const blob = await downloadFile({ ...this.request, repo: this.repo, revision: commit, path: entry.path });
    if (!blob) throw new Error(`${entry.path} is listed but cannot be downloaded`);
    const partial = `${target}.${process.pid}.partial`;
    const hash = createHash('sha256');
    let done = 0;
    const { onProgress, signal } = this.options;
    async function* observed(chunks: AsyncIterable<Uint8Array>) {
      for await (const chunk of chunks) {
        hash.update(chunk);
        done += chunk.byteLength;
        onProgress?.(entry.path, done, entry.size);
        yield chunk;
      }
    }
    try {
      const body = Readable.fromWeb(blob.stream() as ReadableStream);
      await pipeline(body, observed, createWriteStream(partial, { flush: true }), signal ? { signal } : {});
      const sha256 = hash.digest('hex');
      if (done !== entry.size || (entry.lfs && entry.lfs.oid !== sha256)) {
        const expected = entry.lfs ? ` with SHA-256 ${entry.lfs.oid}` : '';
        throw new Error(
          `${entry.path} came as ${done} bytes (SHA-256 ${sha256}); expected ${entry.size}${expected}: try again`,
        );
      }
      await rename(partial, target);
    } finally {
      await rm(partial, { force: true });
    }
  }
}

/** Files arrive in a folder beside the final one, which takes the final name last; files already there are not fetched again. */
async function download(hub: Hub, commit: string, directory: string, withWeights: boolean): Promise<void> {
  const arriving = `${directory}.partial`;
  await mkdir(arriving, { recursive: true });
  const files = await hub.files(commit);
  const fetchAll = async (names: Iterable<string>) => {
    for (const name of names) {
      const entry = files.get(name);
      if (!entry) throw new EngineRequestError(`hf:${hub.repo}@${commit} holds no ${name}`, 'bad-model');
      await hub.fetchFile(commit, entry, arriving);
    }
  };
  if (withWeights && !files.has(WEIGHTS_FILE) && !files.has(INDEX_FILE)) {
    throw new EngineRequestError(
      `hf:${hub.repo}@${commit} holds neither ${WEIGHTS_FILE} nor ${INDEX_FILE}; expected a model with safetensors weights`,
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

const REFUSALS: Record<number, string> = {
  401: 'the Hub does not show it: is the name right? For a private or gated model set HF_TOKEN to a token with access',
  403: 'access is refused: accept the terms on the model page, and set HF_TOKEN to a token with access',
  404: 'the Hub has no such model or revision: check the spelling',
};

async function explained(
  error: unknown,
  model: string,
  repo: string,
  cached: string,
  endpoint: string,
): Promise<unknown> {
  if (error instanceof EngineRequestError) return error;
  if (error instanceof HubApiError) {
    const advice = REFUSALS[error.statusCode];
    const message = `model '${model}': ${advice ?? 'the Hub answered with an error; try again later'} (${error.message})`;
    return advice ? new EngineRequestError(message, 'bad-model') : new Error(message, { cause: error });
  }
  if ((error as Error | undefined)?.name === 'AbortError') return error;
  const commits = (await readdir(cached).catch(() => [])).filter(name => COMMIT.test(name));
  const offline = commits.length
    ? `already here, and usable without the Hub: ${commits.map(commit => `hf:${repo}@${commit}`).join(', ')}`
    : `check the connection, set HF_ENDPOINT to a mirror, or give the path of a folder that holds the model`;
  return new Error(`model '${model}': cannot be fetched from ${endpoint}: ${reasonOf(error)}; ${offline}`, {
    cause: error,
  });
}

/** fetch says "fetch failed" and hides what failed in the cause. */
function reasonOf(error: unknown): string {
  const { message, cause } = error as Error;
  return cause ? `${message} (${reasonOf(cause)})` : (message ?? String(error));
}
