/** A Hugging Face Hub on this machine, for tests of what happens between it and longhaul. */
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** The one commit of the one model, owner/tiny; `main` and `v1` name it. */
export const COMMIT = 'c0ffee'.padEnd(40, '0');

/** The part of the Hub's HTTP interface that its library uses to fetch a model. */
export class FakeHub {
  /** What the model holds, by path. */
  files = new Map<string, Buffer>();
  /** Paths asked for, in order. */
  requests: string[] = [];
  /** Authorization headers seen. */
  tokens = new Set<string | undefined>();
  /** What a request for a matching path is answered with instead. */
  faults = new Map<RegExp, (response: ServerResponse) => void>();
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

  private answer(request: IncomingMessage, response: ServerResponse): void {
    const { pathname } = new URL(request.url!, 'http://hub');
    this.requests.push(pathname);
    this.tokens.add(request.headers.authorization);
    const fault = [...this.faults].find(([pattern]) => pattern.test(pathname));
    if (fault) fault[1](response);
    else this.serve(pathname, request.headers.range, response);
  }

  private serve(pathname: string, wantedRange: string | undefined, response: ServerResponse): void {
    const json = (value: unknown) =>
      response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(value));
    if (/^\/api\/models\/owner\/tiny\/revision\/(main|v1)$/.test(pathname)) {
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
    if (pathname === `/api/models/owner/tiny/tree/${COMMIT}`) {
      return void json([{ type: 'directory', path: 'onnx', size: 0, oid: '' }, ...[...this.files].map(listed)]);
    }
    const [, file] = new RegExp(`^/owner/tiny/resolve/${COMMIT}/(.+)$`).exec(pathname) ?? [];
    const content = file === undefined ? undefined : this.files.get(file);
    if (!content) return void response.writeHead(404, { 'X-Error-Code': 'RepoNotFound' }).end();
    const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(wantedRange ?? '') ?? [];
    const headers = { ETag: '"etag"', 'Content-Type': 'application/octet-stream' };
    if (from === undefined) return void response.writeHead(200, headers).end(content);
    const range = `bytes ${from}-${to}/${content.length}`;
    response.writeHead(206, { ...headers, 'Content-Range': range }).end(content.subarray(Number(from), Number(to) + 1));
  }
}

/** A file as the Hub lists it; weights as large files, with their hash. */
export function listed([path, content]: [string, Buffer]) {
  const sha256 = createHash('sha256').update(content).digest('hex');
  const lfs = path.endsWith('.safetensors') ? { lfs: { oid: sha256, size: content.length, pointerSize: 130 } } : {};
  return { type: 'file', path, size: content.length, oid: '0'.repeat(40), ...lfs };
}
