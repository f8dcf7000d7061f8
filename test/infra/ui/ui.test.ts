/** The web page's server over a store that a small run made: what it answers, what it refuses, and what it survives. */
import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { RolloutGroup, ScoredRollouts } from '../../../activities/artifacts/index.js';
import { attemptsOf, entryAt } from '../../../activities/policies/index.js';
import { readLines } from '../../../activities/store/index.js';
import { Answers } from '../../../infra/ui/answers.js';
import { FILES } from '../../../infra/ui/files.js';
import { type LiveRuns, NO_SERVER } from '../../../infra/ui/live.js';
import { uiServer } from '../../../infra/ui/server.js';
import { WatchedStore } from '../../../infra/ui/watched-store.js';
import { driveRun } from '../../support/drive.js';
import { type SmallRun, smallRun } from '../../support/small-run.js';

const HTML = '<img src=x onerror=alert(1)><script>alert(1)</script>';

let small: SmallRun;
let live: LiveRuns;
let address: string;
let close: () => void;
const logged: string[] = [];

beforeEach(async () => {
  small = await smallRun();
  await driveRun(small);
  live = NO_SERVER;
  logged.length = 0;
  const store = new WatchedStore(small.store.root);
  await store.open();
  const through: LiveRuns = { states: () => live.states(), of: run => live.of(run) };
  const answers = new Answers({ store, models: small.deps.models, live: through });
  const server = uiServer({ answers, names: ['box.example'], log: line => logged.push(line) });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  close = () => {
    server.close();
    server.closeAllConnections();
  };
});
afterEach(async () => {
  close();
  await small.remove();
});

async function ask(path: string) {
  const response = await fetch(address + path);
  return { status: response.status, headers: response.headers, body: (await response.json()) as any };
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

const pathOf = (...segments: string[]) => join(small.store.root, 'runs', 'run', ...segments);
