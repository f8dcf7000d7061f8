/** Whom the web page's server refuses, whom it obeys, and the files that it serves. */
import { readdir, readFile } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { RunControl } from '../../../infra/ui/control.js';
import { FILES } from '../../../infra/ui/files.js';
import { UserError } from '../../../infra/user-error.js';
import type { SmallRun } from '../../support/small-run.js';
import { uiRun } from '../../support/ui-run.js';
import { type ServedUi, serveUi, type UiOptions } from '../../support/ui-server.js';

let small: SmallRun;
let ui: ServedUi;
let address: string;
const acted: unknown[] = [];
const CONTROL: RunControl = {
  presets: async () => ['small'],
  act: async (action, run, input) => {
    if (action === 'refuse') throw new UserError('it cannot be');
    acted.push([action, run, input]);
    return 'done so';
  },
};

beforeAll(async () => {
  small = await uiRun();
});
afterAll(() => small.remove());

beforeEach(() => serve());
afterEach(() => ui.close());

async function serve(more: Partial<UiOptions> = {}): Promise<void> {
  ui = await serveUi({ root: small.store.root, models: small.deps.models, ...more });
  address = ui.address;
}

/** As no browser and no fetch would send it. */
function raw(path: string, headers: Record<string, string>, method = 'GET'): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const { port } = new URL(address);
    request({ host: '127.0.0.1', port, path, headers, method }, response => {
      let body = '';
      response.on('data', chunk => {
        body += chunk;
      });
      response.on('end', () => resolve({ status: response.statusCode!, body }));
    })
      .on('error', reject)
      .end();
  });
}

describe('what it refuses', () => {
  test.each([
    ['another name', { host: 'evil.example' }],
    ['another name with our port', { host: 'localhost.evil.example:80' }],
    ['a page of another site', { host: 'localhost', origin: 'https://evil.example' }],
    ['a page of no site', { host: 'localhost', origin: 'null' }],
    ['a host that is none', { host: 'localhost/..' }],
    ['a host with a user', { host: 'evil@localhost' }],
  ])('%s', async (_, headers) => {
    for (const path of ['/', '/data/runs', '/live/runs', '/page/app.js'])
      expect((await raw(path, headers)).status).toBe(403);
  });

  test.each(['localhost', 'localhost:1', '127.0.0.1:80', '[::1]:80', 'box.example:9'])('but not %s', async host => {
    expect((await raw('/data/runs', { host, origin: `http://${host}` })).status).toBe(200);
  });

  test.each(['POST', 'PUT', 'DELETE', 'OPTIONS'])('%s', async method => {
    expect((await raw('/data/runs', { host: 'localhost' }, method)).status).toBe(405);
  });

  test.each([
    ['/../../package.json', 404],
    ['/page/../server.ts', 404],
    ['/page/..%2fserver.ts', 404],
    ['/page/%2e%2e/server.ts', 404],
    ['/page/constructor', 404],
    ['/data/runs/..%2f..%2fetc', 400],
    ['/data/runs/%2e%2e%2f', 400],
    ['/data/runs/run/..%2f..%2frun/1/1', 400],
    ['/data/runs/.sums', 400],
    ['/data/runs/run/phase-1/1/../../../spec.json', 404],
    ['/data/runs/run/phase-1/1/-1', 404],
    ['/data/runs/run/phase-1/1/1e3', 404],
    ['/data/runs/run/phase-1/1/99', 404],
    ['/data/runs/run/phase-1/1/1/0/99', 404],
    ['/data/runs/run/phase-1', 404],
    ['/data/runs/another', 404],
    ['/data/other', 404],
    ['/data/compare?run=run', 400],
    ['/data/compare?run=run&run=..%2f', 400],
    ['/data/compare?run=run&run=another', 404],
    ['/data/runs/run/questions/9999', 404],
    ['/data/runs/run/evaluations/differences', 400],
    ['/data/runs/run/evaluations/differences?a=final&b=none', 400],
    ['/data/runs/run/evaluations/items?set=..%2f&a=final&b=final', 400],
    ['/data/evaluations/none', 404],
    ['/data/runs/another/proof', 404],
    ['/data/runs/another/curriculum', 404],
    ['/data', 404],
    ['/%ff', 400],
  ])('%s: %i, with a reason', async (path, status) => {
    const answer = await raw(path, { host: 'localhost' });
    expect(answer).toMatchObject({ status, body: expect.stringContaining('"error"') });
    expect(ui.logged).toEqual([]);
  });

  test('scripts from elsewhere, frames and guesses of types, in every answer', async () => {
    for (const path of ['/', '/data/runs', '/page/app.js', '/nothing']) {
      const { headers } = await fetch(address + path);
      expect(headers.get('content-security-policy')).toMatch(
        /^default-src 'none'; script-src 'self'; style-src 'self';/,
      );
      expect(headers.get('content-security-policy')).not.toMatch(/unsafe|https?:/);
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('cross-origin-resource-policy')).toBe('same-origin');
    }
  });
});

describe('what may be done', () => {
  const post = (path: string, headers: Record<string, string> = {}, body = '{}') =>
    fetch(address + path, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body });
  beforeEach(async () => {
    ui.close();
    acted.length = 0;
    await serve({ control: CONTROL });
  });

  test('with the token: what it says is done, and what cannot be is said', async () => {
    const mine = { 'x-longhaul-token': ui.token };
    const answer = await post('/control/run/replay', mine, '{"phase":1}');
    expect([answer.status, await answer.json()]).toEqual([200, { said: 'done so' }]);
    expect((await post('/control/start', mine, '{"preset":"small"}')).status).toBe(200);
    expect(acted).toEqual([
      ['replay', 'run', { phase: 1 }],
      ['start', null, { preset: 'small' }],
    ]);
    const refused = await post('/control/run/refuse', mine);
    expect([refused.status, await refused.json()]).toEqual([409, { error: 'it cannot be' }]);
  });

  test.each([
    ['no token', {}, 403],
    ['another token', { 'x-longhaul-token': 'a'.repeat(32) }, 403],
    ['a page of another site', { 'x-longhaul-token': '', origin: 'https://evil.example' }, 403],
    ['a form, as any page may send', { 'x-longhaul-token': '', 'content-type': 'text/plain' }, 400],
  ])('but nothing by %s', async (_, headers: Record<string, string>, status) => {
    const mine = headers['x-longhaul-token'] === '' ? { 'x-longhaul-token': ui.token } : {};
    expect((await post('/control/run/pause', { ...headers, ...mine })).status).toBe(status);
    expect(acted).toEqual([]);
  });

  test('nor by what is no JSON, or too much of it', async () => {
    const mine = { 'x-longhaul-token': ui.token };
    expect((await post('/control/run/pause', mine, '{')).status).toBe(400);
    expect((await post('/control/run/pause', mine, `"${'a'.repeat(70_000)}"`)).status).toBe(400);
    expect((await post('/control/a/b/c', mine)).status).toBe(404);
    expect(acted).toEqual([]);
  });
});

test('without --control nothing may be done, whatever is brought', async () => {
  const headers = { 'content-type': 'application/json', 'x-longhaul-token': ui.token };
  const answer = await fetch(`${address}/control/run/pause`, { method: 'POST', headers, body: '{}' });
  expect([answer.status, await answer.json()]).toEqual([400, { error: expect.stringContaining('--control') }]);
  expect(acted).toEqual([]);
});

describe('the page', () => {
  const scripts = Object.entries(FILES).filter(([name]) => name.endsWith('.js'));
  const styles = Object.entries(FILES).filter(([name]) => name.endsWith('.css'));

  test.each(Object.keys(FILES))('%s is served', async name => {
    const response = await fetch(`${address}/page/${name}`);
    expect(response.status).toBe(200);
    expect(await response.text()).toBe(await readFile(FILES[name]!, 'utf8'));
  });

  test('all its files are served, and the document asks for no others', async () => {
    const names = (await readdir(join(__dirname, '../../../infra/ui/page'))).filter(name => name !== 'index.html');
    expect(Object.keys(FILES)).toEqual(expect.arrayContaining(names));
    const text = await (await fetch(`${address}/`)).text();
    const asked = [...text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, at]) => at!);
    for (const at of asked) expect((await fetch(address + at)).status).toBe(200);
  });

  test('its scripts and styles are at most 200 kB, compressed', async () => {
    const texts = await Promise.all([...scripts, ...styles].map(([, file]) => readFile(file)));
    expect(texts.reduce((sum, text) => sum + gzipSync(text).length, 0)).toBeLessThanOrEqual(200_000);
  });

  test('never takes text for markup', async () => {
    for (const [name, file] of scripts.filter(([name]) => name !== 'uplot.js')) {
      const text = await readFile(file, 'utf8');
      const found = /innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser|createContextualFragment/.exec(
        text,
      );
      expect([name, found]).toEqual([name, null]);
    }
  });
});
