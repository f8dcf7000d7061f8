/**
 * Keys and tokens stay in the environment of the workers. Every endpoint here sends back what it was sent, in replies and in
 * refusals; then everything that is kept is searched: each event of each history, pending activities with their heartbeats
 * and failures, each file of the store and of the cache, and all that workers and engines print.
 */
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TASK_QUEUE } from '../../activities/contract/index.js';
import { innermost } from '../../infra/view/follow.js';
import { FakeChat, type Fault } from '../support/fake-chat.js';
import { FakeHub } from '../support/fake-hub.js';
import { goldenFolder } from '../support/golden.js';
import { RealWorkers } from '../support/real-workers.js';
import { startServer, type TestServer } from '../support/temporal-server.js';

jest.setTimeout(180_000);

const SECRET = {
  CHAT_KEY: 'sk-chat/0123456789+abcdef',
  GATEWAY_TOKEN: 'gw-gateway/0123456789+abcdef',
  HF_TOKEN: 'hf_hub0123456789abcdef',
  TEMPORAL_API_KEY: 'tk-temporal0123456789abcdef',
  LONGHAUL_WEBHOOK_URL: 'http://127.0.0.1:9/hook-0123456789abcdef',
};
/** What of them no escaping changes. */
const MARK = '0123456789';

let server: TestServer;
let workers: RealWorkers;
let folder: string;
let chat: FakeChat;
let hub: FakeHub;
/** What was seen of activities under way. */
let pending = '';

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'longhaul-secrets-'));
  [server, chat] = await Promise.all([startServer(), new FakeChat().start()]);
  hub = new FakeHub();
  for (const name of await readdir(goldenFolder('llama')))
    hub.files.set(name, await readFile(join(goldenFolder('llama'), name)));
  const environment = {
    ...process.env,
    ...SECRET,
    HF_ENDPOINT: await hub.start(),
    XDG_CACHE_HOME: join(folder, 'cache'),
    TEMPORAL_CONFIG_FILE: join(folder, 'none.toml'),
  };
  workers = new RealWorkers(folder, ['--address', server.env.address, '--no-tls'], environment);
  await Promise.all([workers.start('cpu'), workers.start('gpu')]);
  const samples = Array.from({ length: 8 }, (_, k) => ({
    id: `s${k}`,
    question: `Which? ${k}`,
    context: 'x y',
    answer: 'A',
  }));
  await writeFile(join(folder, 'data.jsonl'), samples.map(sample => `${JSON.stringify(sample)}\n`).join(''));
});
afterAll(async () => {
  await workers?.stop();
  await Promise.all([chat?.stop(), hub?.stop()]);
  await server?.env.teardown();
  await rm(folder, { recursive: true, force: true });
});

const echo =
  (status: number): Fault =>
  (response, { headers }) =>
    sayBack(response, status, `${headers['api-key']} and ${headers['x-gateway']}`);
function sayBack(response: ServerResponse, status: number, said: string | undefined): void {
  const location = `https://elsewhere.example/${encodeURIComponent(said ?? '')}`;
  response
    .writeHead(status, { 'Content-Type': 'application/json', ...(status === 308 && { Location: location }) })
    .end(JSON.stringify({ error: { message: `refused: ${said}` } }).replaceAll('+', '\\u002B'));
}

const source = () => ({ type: 'jsonl', path: join(folder, 'data.jsonl') });
const endpoint = () => ({
  ...{ url: chat.url, model: 'm', keyVariable: 'CHAT_KEY', keyHeader: 'api-key', retrySeconds: 20, concurrency: 1 },
  headers: { 'X-Gateway': 'GATEWAY_TOKEN' },
});
const prompt = { template: '{document} {question} ', chat: false };

/** A workflow's result, or what it failed for; meanwhile watches what its activities say. */
async function lived(type: string, workflowId: string, input: object): Promise<unknown> {
  const { workflow } = server.env.client;
  const handle = await workflow.start(type, { workflowId, taskQueue: TASK_QUEUE, args: [input] });
  let over = false;
  const result = handle.result().catch((error: Error) => innermost(error));
  void result.then(() => {
    over = true;
  });
  while (!over) {
    for await (const { workflowId: id } of workflow.list({ query: 'ExecutionStatus = "Running"' })) {
      pending += textOf((await workflow.getHandle(id).describe()).raw);
    }
    await new Promise(resolve => setTimeout(resolve, 100));
  }
  return result;
}

/** All strings and bytes in a value. */
function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  if (value instanceof Uint8Array) return Buffer.from(value).toString('latin1');
  return typeof value === 'object' && value !== null ? Object.values(value).map(textOf).join('\n') : '';
}

async function histories(): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  const { workflow } = server.env.client;
  for await (const { workflowId, runId } of workflow.list()) {
    const { events } = await workflow.getHandle(workflowId, runId).fetchHistory();
    found[`${workflowId} (${runId})`] = textOf(events);
  }
  return found;
}

async function filesBelow(directory: string): Promise<Record<string, string>> {
  const entries = await readdir(directory, { withFileTypes: true, recursive: true });
  const paths = entries.filter(entry => entry.isFile()).map(entry => join(entry.parentPath, entry.name));
  return Object.fromEntries(await Promise.all(paths.map(async path => [path, await readFile(path, 'latin1')])));
}

test('no history, no file and no line that is printed holds a key', async () => {
  chat.reply = ({ headers }) => `You sent ${headers['api-key']} and ${headers['x-gateway']}\n[[NO]]`;
  // The hub at first fails, then serves; the judge refuses in each way that is tried again, then answers.
  let hubFailures = 0;
  hub.faults.set(/\/revision\//, response => {
    if (++hubFailures === 2) hub.faults.clear();
    sayBack(response, 503, response.req.headers.authorization);
  });
  chat.next = [401, 500, 429, 400, 403].map(echo);
  const run = await lived('curriculum', 'judged', {
    model: 'hf:owner/tiny',
    prompt,
    data: [source()],
    reward: { judge: endpoint() },
    rl: {
      ...{ groupSize: 2, promptsPerStep: 2, promptsPerUpdate: 2, maxRefills: 0 },
      optimizer: { learningRate: 1e-4 },
      sampling: { maxNewTokens: 8 },
      signal: { minEffectiveGroups: 1, onMissing: 'continue' },
    },
    phases: [{ maxTokens: 60, steps: 1 }],
  });
  expect(run).toMatchObject({ policy: { sha256: expect.any(String) } });

  const evaluation = { benchmarks: [{ name: 'questions', source: source() }], prompt, tokenizer: 'hf:owner/tiny' };
  chat.next = [401, 503, 400].map(echo);
  const model = { remote: endpoint() };
  const summary = await lived('evaluation', 'remote', { ...evaluation, model, reward: { judge: endpoint() } });
  expect(summary).toMatchObject({ rows: [{ items: 7, unanswered: 1 }] });

  chat.always = echo(308);
  const refused = await lived('evaluation', 'redirected', { ...evaluation, model });
  expect(refused).toContain('elsewhere.example/');
  await workers.stop();

  expect(chat.requests.every(({ headers }) => headers['api-key'] === SECRET.CHAT_KEY)).toBe(true);
  expect(chat.requests.every(({ headers }) => headers['x-gateway'] === SECRET.GATEWAY_TOKEN)).toBe(true);
  expect(hub.tokens).toEqual(new Set([`Bearer ${SECRET.HF_TOKEN}`]));
  const kept: Record<string, string> = {
    ...(await histories()),
    ...(await filesBelow(folder)),
    'activities under way': pending,
    'what was printed': workers.output,
  };
  expect(Object.keys(kept).filter(name => kept[name]!.includes(MARK))).toEqual([]);
  // They would be found: what came back is there, without the key.
  for (const name of ['activities under way', 'what was printed']) expect(kept[name]).toContain('[key]');
  const [inHistories, inStore] = [/^(judged|remote|redirected) \(/, /store.replies/].map(which =>
    Object.keys(kept).filter(name => which.test(name) && kept[name]!.includes('[key]')),
  );
  expect(inHistories!.length).toBeGreaterThanOrEqual(2);
  expect(inStore!.length).toBeGreaterThan(0);
});
