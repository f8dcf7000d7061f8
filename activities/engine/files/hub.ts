/**
 * Files of a model or a data set on the Hugging Face Hub, of one commit, into a cache folder: each under its own name only
 * once all of it is there and is what the Hub says it is.
 */
import { createHash, type Hash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ReadableStream } from 'node:stream/web';
import {
  datasetInfo,
  downloadFile,
  HubApiError,
  type ListFileEntry,
  listFiles,
  modelInfo,
  type PathInfo,
  pathsInfo,
} from '@huggingface/hub';
import { proxiedFetch, proxyFor, shownProxy, withoutProxySecrets } from '../proxies.js';
import { withoutSecret } from '../secrets.js';
import { exists } from './files.js';

export interface HubRepo {
  type: 'model' | 'dataset';
  /** owner/name */
  name: string;
}

export interface HubOptions {
  signal?: AbortSignal;
  /** Bytes of the file in hand, done and in all. */
  onProgress?: (file: string, done: number, total: number) => void;
  /**
   * HF_ENDPOINT (another Hub), HF_TOKEN (for what is private or gated), HF_HUB_DISABLE_XET and the names of proxies are
   * looked up here.
   */
  environment?: NodeJS.ProcessEnv;
}

/** What no second try mends: no such repository, revision or file, or no access to it. */
export class HubRefusal extends Error {
  override readonly name = 'HubRefusal';
}

/** As the Hub lists it: `oid` is the hash by which git knows what it keeps, `lfs.oid` the SHA-256 of what it keeps elsewhere. */
export type HubFile = Pick<ListFileEntry, 'path' | 'size' | 'oid'> & { lfs?: { oid: string } | undefined };

const GIT_HASH = /^[0-9a-f]{40}$/;
export const COMMIT = GIT_HASH;
const DEFAULT_ENDPOINT = 'https://huggingface.co';
const KIND = { model: 'model', dataset: 'data set' };
/** Keeps apart what two downloads of one process write at the same time. */
let downloads = 0;

/** One repository on the Hub, as its own library reaches it. */
export class Hub {
  readonly endpoint: string;
  private readonly request;
  private readonly environment: NodeJS.ProcessEnv;
  /** Trimmed: fetch quotes a header that it cannot send. */
  private readonly token: string;

  constructor(
    readonly repo: HubRepo,
    readonly options: HubOptions,
  ) {
    this.environment = options.environment ?? process.env;
    const { HF_ENDPOINT, HF_TOKEN = '' } = this.environment;
    this.token = HF_TOKEN.trim();
    this.endpoint = (HF_ENDPOINT || DEFAULT_ENDPOINT).replace(/\/+$/, '');
    const { signal } = options;
    const fetched = proxiedFetch(this.environment);
    this.request = {
      hubUrl: this.endpoint,
      ...(this.token ? { accessToken: this.token } : {}),
      fetch: ((url, init) => fetched(url, { ...init, ...(signal && { signal }) })) satisfies typeof fetch,
    };
  }

  /** Mirrors pass the files on, not the service that Xet fetches their pieces from. */
  get usesXet(): boolean {
    const isDisabled = /^(1|true|yes|on)$/i.test(this.environment.HF_HUB_DISABLE_XET?.trim() ?? '');
    return !isDisabled && this.endpoint === DEFAULT_ENDPOINT;
  }

  /** The folder in the cache that holds one folder a commit. */
  cacheFolder(cacheDir: string): string {
    const name = this.repo.name.replace('/', '--');
    return join(cacheDir, this.repo.type === 'model' ? name : `datasets--${name}`);
  }

  async commitOf(revision: string): Promise<string> {
    const wanted = { ...this.request, name: this.repo.name, revision };
    const { sha } =
      this.repo.type === 'model'
        ? await modelInfo({ ...wanted, additionalFields: ['sha'] })
        : await datasetInfo({ ...wanted, additionalFields: ['sha'] });
    // It becomes a folder's name.
    if (!COMMIT.test(sha)) throw new Error(`the Hub gave '${sha}' as commit; expected 40 hexadecimal digits`);
    return sha;
  }

  /** The files of one folder ('' is the top), not those below; entries whose path leads elsewhere are passed over. */
  async files(commit: string, folder = ''): Promise<HubFile[]> {
    const files: HubFile[] = [];
    const listed = listFiles({
      ...this.request,
      repo: this.repo,
      revision: commit,
      ...(folder ? { path: folder } : {}),
    });
    for await (const entry of listed) {
      const name = basename(entry.path);
      if (entry.type === 'file' && entry.path === (folder ? `${folder}/${name}` : name)) files.push(entry);
    }
    return files;
  }

  /** What lies at a path; undefined for nothing. */
  async lookUp(commit: string, path: string): Promise<PathInfo | undefined> {
    const found = await pathsInfo({ ...this.request, repo: this.repo, revision: commit, paths: [path] });
    return found.find(entry => entry.path === path);
  }

  /** Puts one file into the folder, under its path in the repository. */
  async fetchFile(commit: string, entry: HubFile, directory: string): Promise<void> {
    const target = join(directory, entry.path);
    if (await exists(target)) return;
    const { path } = entry;
    const blob = await downloadFile({ ...this.request, repo: this.repo, revision: commit, path, xet: this.usesXet });
    if (!blob) throw new Error(`${entry.path} is listed but cannot be downloaded`);
    await mkdir(dirname(target), { recursive: true });
    const partial = `${target}.${process.pid}-${downloads++}.partial`;
    const { kind, oid, hash } = contentHash(entry);
    const refuse = (came: string): never => {
      const listed = `${entry.size} bytes with ${kind} ${oid}, as the Hub lists it`;
      throw new Error(`${entry.path} came as ${came}; expected ${listed}: try again`);
    };
    let done = 0;
    const { onProgress, signal } = this.options;
    async function* observed(chunks: AsyncIterable<Uint8Array>) {
      for await (const chunk of chunks) {
        hash.update(chunk);
        done += chunk.byteLength;
        if (done > entry.size) refuse(`more than ${entry.size} bytes`);
        onProgress?.(entry.path, done, entry.size);
        yield chunk;
      }
    }
    try {
      const body = Readable.fromWeb(blob.stream() as ReadableStream);
      await pipeline(body, observed, createWriteStream(partial, { flush: true }), signal ? { signal } : {});
      const found = hash.digest('hex');
      if (done !== entry.size || found !== oid) refuse(`${done} bytes with ${kind} ${found}`);
      await rename(partial, target);
    } finally {
      await rm(partial, { force: true });
    }
  }

  private get byWayOf(): string {
    try {
      const proxy = proxyFor(new URL(this.endpoint), this.environment);
      return proxy ? ` by way of ${shownProxy(proxy)}` : '';
    } catch {
      // No address, or no proxy: the reason says so.
      return '';
    }
  }

  /**
   * What to throw for an error met on the way to `wanted` (as the user wrote it). It says all that is known, without the
   * token, which a server may have sent back; the error itself is left behind for that.
   * @param cached the folder of the commits that are here
   */
  async explained(error: unknown, wanted: string, cached: string): Promise<unknown> {
    const what = `${KIND[this.repo.type]} '${wanted}'`;
    if (error instanceof HubApiError) {
      const advice = refusals(KIND[this.repo.type])[error.statusCode];
      const said = withoutSecret(error.message, this.token);
      const message = `${what}: ${advice ?? 'the Hub answered with an error; try again later'} (${said})`;
      return advice ? new HubRefusal(message) : new Error(message);
    }
    if (error instanceof HubRefusal || (error as Error | undefined)?.name === 'AbortError') return error;
    const commits = (await readdir(cached).catch(() => [])).filter(name => COMMIT.test(name));
    const offline = commits.length
      ? `already here, and usable without the Hub: ${commits.map(commit => `hf:${this.repo.name}@${commit}`).join(', ')}`
      : `check the connection, set HF_ENDPOINT to a mirror, or give the path of a folder that holds the ${KIND[this.repo.type]}`;
    const reason = withoutProxySecrets(withoutSecret(reasonOf(error), this.token), this.environment);
    return new Error(`${what}: cannot be fetched from ${this.endpoint}${this.byWayOf}: ${reason}; ${offline}`);
  }
}

/** The hash that the Hub knows a file's content by, and its making: git's own, or SHA-256 of a large file's. */
function contentHash({ path, size, oid, lfs }: HubFile): { kind: string; oid: string; hash: Hash } {
  if (lfs) return { kind: 'SHA-256', oid: lfs.oid, hash: createHash('sha256') };
  if (!oid || !GIT_HASH.test(oid)) {
    throw new Error(
      `the Hub gave '${oid}' as the hash of ${path}; expected 40 hexadecimal digits, git's hash of a file`,
    );
  }
  return { kind: 'git hash', oid, hash: createHash('sha1').update(`blob ${size}\0`) };
}

const refusals = (kind: string): Record<number, string> => ({
  401: `the Hub does not show it: is the name right? For a private or gated ${kind} set HF_TOKEN to a token with access`,
  403: `access is refused: accept the terms on the ${kind} page, and set HF_TOKEN to a token with access`,
  404: `the Hub has no such ${kind} or revision: check the spelling`,
});

/** fetch says "fetch failed" and hides what failed in the cause. */
function reasonOf(error: unknown): string {
  const { message, cause } = error as Error;
  return cause ? `${message} (${reasonOf(cause)})` : (message ?? String(error));
}
