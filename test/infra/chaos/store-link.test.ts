/** The proxy before an S3 server: what it lets through, and each trouble that it makes. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { StoreLink } from '../../../infra/chaos/store-link.js';

let server: Server;
let link: StoreLink;
/** Bytes of the requests that reached the server whole. */
let reached: number[];

beforeEach(async () => {
  reached = [];
  server = createServer(async (request, response) => {
    try {
      let bytes = 0;
      for await (const piece of request) bytes += (piece as Buffer).length;
      reached.push(bytes);
      response.writeHead(200, { etag: '"1"' }).end(`${request.method} ${request.url} ${request.headers.host}`);
    } catch {
      // Cut off.
    }
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  link = await StoreLink.listen(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});
afterEach(() => {
  link.close();
  server.close();
  server.closeAllConnections();
});

const put = (bytes: number) => fetch(`${link.url}/bucket/key?x=1`, { method: 'PUT', body: Buffer.alloc(bytes) });

test('passes on what is asked and answered, with the host that was signed for', async () => {
  const answer = await put(3_000_000);
  expect(answer.headers.get('etag')).toBe('"1"');
  expect(await answer.text()).toBe(`PUT /bucket/key?x=1 ${link.url.slice('http://'.length)}`);
  expect([reached, link.struck]).toEqual([[3_000_000], 0]);
});

test('away: no answer, until it is mended', async () => {
  link.make({ kind: 'away' });
  await expect(put(1)).rejects.toThrow();
  link.mend();
  expect((await put(1)).status).toBe(200);
});

test('slow: the answer comes late', async () => {
  link.make({ kind: 'slow', ms: 200 });
  const began = performance.now();
  expect((await put(1)).status).toBe(200);
  expect(performance.now() - began).toBeGreaterThan(190);
});

test('failing: so many of ten are refused as S3 refuses, and do not reach the server', async () => {
  link.make({ kind: 'failing', status: 503, ofTen: 4 });
  const answers = await Promise.all(Array.from({ length: 20 }, () => put(1)));
  const refused = answers.filter(({ status }) => status === 503);
  expect([refused.length, reached.length]).toEqual([8, 12]);
  expect(await refused[0]!.text()).toContain('<Code>SlowDown</Code>');
});

test('cutting: what is sent breaks off in the middle, and never arrives whole', async () => {
  link.make({ kind: 'cutting', bytes: 1000 });
  await expect(put(2_000_000)).rejects.toThrow();
  expect((await put(10)).status).toBe(200);
  expect(reached).toEqual([10]);
});
