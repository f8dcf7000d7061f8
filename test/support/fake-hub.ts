/** A Hugging Face Hub on this machine, for tests of what happens between it and longhaul. */
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

/** The one commit of the one repository, owner/tiny; `main` and `v1` name it. */
export const COMMIT = 'c0ffee'.padEnd(40, '0');

/** The part of the Hub's HTTP interface that its library uses to fetch a model or a data set. */
export class FakeHub {
  constructor(private readonly type: 'model' | 'dataset' = 'model') {}
  /** What the repository holds, by path. */
  files = new Map<string, Buffer>();
  /** What is sent in a file's stead, by path: not what was listed. */
  sent = new Map<string, Buffer>();
  /** Paths asked for, in order. */
  requests: string[] = [];
  /** Authorization headers seen. */
  tokens = new Set<string | undefined>();
  /** What a request for a matching path is answered with instead. */
  faults = new Map<RegExp, (response: ServerResponse) => void>();
  /** Offers files by Xet to who asks for them so, at an address where nobody is. */
  offersXet = false;
  private server: Server | undefined;

  /** @returns its address. */
  async start(): Promise<string> {
    this.server = createServer((request, response) => this.answer(request, response));
    await new Promise<void>(started => this.server!.listen(0, '127.0.0.1', started));
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.server!.closeAllConnections();
    await new Promise(stopped => this.server!.close(stopped));
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname } = new URL(request.url!, 'http://hub');
    this.requests.push(pathname);
    this.tokens.add(request.headers.authorization);
    const fault = [...this.faults].find(([pattern]) => pattern.test(pathname));
    if (fault) fault[1](response);
    else if (this.offersXet && request.headers.accept?.includes('xet-fileinfo')) this.offerXet(pathname, response);
    else this.serve(pathname, request.headers.range, await text(request), response);
  }

  private offerXet(pathname: string, response: ServerResponse): void {
    const content = this.files.get(pathname.split(`/${COMMIT}/`)[1]!)!;
    response
      .writeHead(206, {
        'Content-Type': 'application/vnd.xet-fileinfo+json',
        'X-Xet-Hash': '0'.repeat(64),
        'X-Linked-Size': String(content.length),
        ETag: '"etag"',
        Link: '<http://127.0.0.1:9/token>; rel="xet-auth", <http://127.0.0.1:9/parts>; rel="xet-reconstruction-info"',
      })
      .end('{}');
  }

  /** What lies in a folder, named with its "/" at the end, and not below. */
  private listed(folder: string) {
    const below = [...this.files].filter(([path]) => path.startsWith(folder));
    const folders = new Set(below.flatMap(([path]) => path.slice(folder.length).split('/').slice(0, -1).slice(0, 1)));
    return [
      ...[...folders].map(name => ({ type: 'directory', path: `${folder}${name}`, size: 0, oid: '' })),
      ...below.filter(([path]) => !path.slice(folder.length).includes('/')).map(listed),
    ];
  }

  private lookedUp(path: string) {
    const content = this.files.get(path);
    if (content) return [listed([path, content])];
    return [...this.files.keys()].some(name => name.startsWith(`${path}/`))
      ? [{ type: 'directory', path, size: 0, oid: '' }]
      : [];
  }

  private serve(pathname: string, wantedRange: string | undefined, body: string, response: ServerResponse): void {
    const json = (value: unknown) =>
      response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(value));
    const api = `/api/${this.type}s/owner/tiny`;
    if (new RegExp(`^${api}/revision/(main|v1)$`).test(pathname)) {
      return void json({
        _id: '1',
        id: 'owner/tiny',
        sha: COMMIT,
        private: false,
        gated: false,
        likes: 0,
        downloads: 0,
        lastModified: '2026-01-01',
      });
    }
    const tree = new RegExp(`^${api}/tree/${COMMIT}(?:/(.+))?$`).exec(pathname);
    if (tree) return void json(this.listed(tree[1] === undefined ? '' : `${tree[1]}/`));
    if (pathname === `${api}/paths-info/${COMMIT}`) {
      return void json((JSON.parse(body) as { paths: string[] }).paths.flatMap(path => this.lookedUp(path)));
    }
    const top = this.type === 'model' ? '' : '/datasets';
    const [, file] = new RegExp(`^${top}/owner/tiny/resolve/${COMMIT}/(.+)$`).exec(pathname) ?? [];
    const content = file === undefined ? undefined : (this.sent.get(file) ?? this.files.get(file));
    if (!content) return void response.writeHead(404, { 'X-Error-Code': 'RepoNotFound' }).end();
    const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(wantedRange ?? '') ?? [];
    const headers = { ETag: '"etag"', 'Content-Type': 'application/octet-stream' };
    if (from === undefined) return void response.writeHead(200, headers).end(content);
    const range = `bytes ${from}-${to}/${content.length}`;
    response.writeHead(206, { ...headers, 'Content-Range': range }).end(content.subarray(Number(from), Number(to) + 1));
  }
}

/** A file as the Hub lists it: by git's hash; weights and Parquet, as large files, by their own. */
export function listed([path, content]: [string, Buffer]) {
  const sha256 = createHash('sha256').update(content).digest('hex');
  const large = /\.(safetensors|parquet)$/.test(path);
  const lfs = large && { lfs: { oid: sha256, size: content.length, pointerSize: 130 } };
  return { type: 'file', path, size: content.length, oid: large ? '0'.repeat(40) : gitHash(content), ...lfs };
}

const gitHash = (content: Buffer): string =>
  createHash('sha1').update(`blob ${content.length}\0`).update(content).digest('hex');
