/**
 * A store in a bucket, whose workers reach it through a proxy; the harness looks at it past that, with a client of its own
 * that knows no more than the layout: artifacts/, and parts/ that manifests lead to.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import {
  GetObjectCommand,
  type GetObjectCommandOutput,
  PutObjectCommand,
  paginateListObjectsV2,
  S3Client,
} from '@aws-sdk/client-s3';
import { openStore } from '../../../activities/store/index.js';
import { UserError } from '../../user-error.js';
import { StoreLink } from '../store-link.js';
import { type ChaosStore, flipped, type Injury, LOG_FILE, NEWEST } from './chaos-store.js';
import type { Gateway } from './gateway.js';

interface Found {
  body: Buffer;
  metadata: Record<string, string>;
}

interface Manifest {
  parts: string;
  files: Record<string, unknown>;
}

export class ChaosBucket implements ChaosStore {
  readonly #client: S3Client;
  readonly #bucket: string;
  readonly #prefix: string;

  private constructor(
    /** s3://bucket/prefix */
    readonly address: string,
    /** For caches, and the copy that is made in the end. */
    readonly folder: string,
    readonly link: StoreLink,
    readonly gateway: Gateway | null,
    readonly direct: boolean,
  ) {
    const [bucket, ...prefix] = address.slice('s3://'.length).split('/');
    this.#bucket = bucket!;
    this.#prefix = prefix.map(segment => `${segment}/`).join('');
    process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';
    this.#client = new S3Client({ region: 'us-east-1', forcePathStyle: true, endpoint: link.target });
  }

  /**
   * Takes the server from the environment, or the gateway's, which then is the environment of this process too.
   * @param direct whether workers go past the proxy, where nothing is to strike
   */
  static async open(
    address: string,
    folder: string,
    gateway: Gateway | null,
    { direct = false } = {},
  ): Promise<ChaosBucket> {
    if (gateway) Object.assign(process.env, gateway.env);
    const server = process.env.AWS_ENDPOINT_URL_S3 ?? '';
    if (!server.startsWith('http://'))
      throw new UserError(`AWS_ENDPOINT_URL_S3=${server}: expected an http:// address, for a proxy stands before it.`);
    return new ChaosBucket(address, folder, await StoreLink.listen(server), gateway, direct);
  }

  get env(): NodeJS.ProcessEnv {
    const url = this.direct ? this.link.target : this.link.url;
    return { AWS_ENDPOINT_URL_S3: url, LONGHAUL_STORE_CACHE: join(this.folder, 'cache') };
  }

  async create(): Promise<void> {
    await (await openStore(this.address)).create();
  }

  async published(run: string): Promise<string[]> {
    const below = `artifacts/runs/${run}/`;
    // The server may just have been killed.
    const found = await this.#list(below).catch(() => null);
    return found ? found.map(({ key }) => key.slice(below.length)) : [];
  }

  async newest(run: string, what: 'log' | 'checkpoint'): Promise<string[]> {
    const artifacts = (await this.#list(`artifacts/runs/${run}/`)).filter(({ key }) => !key.includes('damaged'));
    const newestFirst = artifacts.sort((a, b) => b.modified - a.modified).map(({ key }) => pathOf(key));
    if (what === 'log') return newestFirst.filter(path => LOG_FILE.test(path)).slice(0, NEWEST);
    const checkpoint = newestFirst.find(path => /\/checkpoints\/[^/]+$/.test(path));
    const manifest = checkpoint && (await this.#manifest(`artifacts/${checkpoint}`));
    return manifest ? Object.keys(manifest.files).map(file => `${checkpoint}/${file}`) : [];
  }

  async flipBit(path: string, where: number): Promise<Injury | null> {
    const key = await this.#keyOf(path).catch(() => null);
    const found = key && (await this.#get(key).catch(() => null));
    if (!found || found.body.length === 0) return null;
    const Body = flipped(found.body, where);
    await this.#client.send(new PutObjectCommand({ ...this.#at(key), Body, Metadata: found.metadata }));
    return { path, content: found.body };
  }

  async lose(): Promise<() => void> {
    this.link.make({ kind: 'away' });
    return () => this.link.mend();
  }

  kill(): boolean {
    const pid = this.gateway?.process.identity?.pid;
    if (pid === undefined) return false;
    process.kill(pid, 'SIGKILL');
    return true;
  }

  async settled(runs: readonly string[]): Promise<string> {
    const copy = join(this.folder, 'copy');
    for (const run of runs) {
      for (const { key } of await this.#list(`artifacts/runs/${run}/`)) await this.#copy(key, copy);
      for (const { key } of await this.#list(`sums/runs/${run}/`)) {
        const found = await this.#get(key);
        if (found) await write(join(copy, sumOf(key.slice('sums/'.length))), found.body);
      }
    }
    return copy;
  }

  async stop(): Promise<void> {
    this.link.close();
    this.#client.destroy();
  }

  /** As it lies there, damage included. */
  async #copy(key: string, copy: string): Promise<void> {
    const found = await this.#get(key);
    if (!found) return;
    const { body, metadata } = found;
    const path = pathOf(key);
    if (metadata['longhaul-sum']) await write(join(copy, sumOf(path)), `${metadata['longhaul-sum']}\n`);
    if (metadata['longhaul-kind'] !== 'folder') return write(join(copy, path), body);
    const { parts, files } = JSON.parse(body.toString('utf8')) as Manifest;
    for (const file of Object.keys(files)) {
      const part = await this.#get(`${parts}/${file}`);
      if (part) await write(join(copy, path, file), part.body);
    }
  }

  async #keyOf(path: string): Promise<string> {
    const [, checkpoint, file] = /^(runs\/[^/]+\/checkpoints\/[^/]+)\/(.+)$/.exec(path) ?? [];
    return checkpoint ? `${(await this.#manifest(`artifacts/${checkpoint}`)).parts}/${file}` : `artifacts/${path}`;
  }

  async #manifest(key: string): Promise<Manifest> {
    return JSON.parse(String((await this.#get(key))?.body)) as Manifest;
  }

  async #list(below: string): Promise<{ key: string; modified: number }[]> {
    const found: { key: string; modified: number }[] = [];
    const query = { Bucket: this.#bucket, Prefix: this.#prefix + below };
    for await (const { Contents = [] } of paginateListObjectsV2({ client: this.#client }, query))
      for (const { Key, LastModified } of Contents)
        found.push({ key: Key!.slice(this.#prefix.length), modified: LastModified!.getTime() });
    return found;
  }

  async #get(key: string): Promise<Found | null> {
    let answer: GetObjectCommandOutput;
    try {
      answer = await this.#client.send(new GetObjectCommand(this.#at(key)));
    } catch (error) {
      if ((error as Error).name === 'NoSuchKey') return null;
      throw error;
    }
    return { body: Buffer.from(await answer.Body!.transformToByteArray()), metadata: answer.Metadata ?? {} };
  }

  #at(key: string) {
    return { Bucket: this.#bucket, Key: this.#prefix + key };
  }
}

const pathOf = (key: string): string => key.slice('artifacts/'.length);
const sumOf = (path: string): string => join(dirname(path), '.sums', basename(path));

async function write(file: string, content: Buffer | string): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, content);
}
