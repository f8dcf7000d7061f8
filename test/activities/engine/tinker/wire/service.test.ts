/** Calls of a service as it answers in every way that services do, and what becomes of each. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { EngineLostError, EngineRequestError } from '../../../../../activities/engine/protocol/index';
import { TINKER_DEFAULTS } from '../../../../../activities/engine/tinker/settings';
import { ServiceAwayError, TakenError } from '../../../../../activities/engine/tinker/wire/outcomes';
import { Service } from '../../../../../activities/engine/tinker/wire/service';

const KEY = 'tml-0123456789abcdef';
type Kind = new (...args: never[]) => Error;
type Reply = [status: number, body: unknown, headers?: Record<string, string>] | 'break';

let server: Server;
let url: string;
/** Answers in the order of requests; the last one stays. */
let replies: Reply[];
let seen: { path: string; body: string; key: unknown }[];
let waits: number[];

beforeEach(async () => {
  [replies, seen, waits] = [[], [], []];
  server = createServer(async (request, response) => answer(request, response));
  await new Promise<void>(started => server.listen(0, '127.0.0.1', started));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise(stopped => server.close(stopped));
});

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  let body = '';
  for await (const chunk of request) body += chunk;
  seen.push({ path: request.url!.replace('/api/v1/', ''), body, key: request.headers['x-api-key'] });
  const reply = replies.length > 1 ? replies.shift()! : replies[0]!;
  if (reply === 'break') return void response.socket!.resetAndDestroy();
  const [status, value, headers] = reply;
  const bytes = value instanceof Uint8Array ? value : typeof value === 'string' ? value : JSON.stringify(value);
  response.writeHead(status, { 'Content-Type': 'application/json', ...headers }).end(bytes);
}

/** Time passes by waiting alone. */
function serviceOf(over: object = {}): Service {
  let now = 0;
  const clock = {
    now: () => now,
    sleep: async (ms: number) => {
      waits.push(ms);
      now += ms;
    },
  };
  const settings = {
    ...TINKER_DEFAULTS,
    url,
    keyVariable: 'KEY',
    environment: { KEY },
    stateFolder: '/nowhere',
    clock,
  };
  return new Service({ ...settings, patience: 60, longestCall: 10, ...over });
}

const PROMISE: Reply = [200, { request_id: 'p1' }];
const paths = () => seen.map(({ path }) => path);

test('a call is sent with the key, and its result asked for until it is there', async () => {
  const notYet: Reply = [200, { type: 'try_again', queue_state: 'active' }];
  replies = [PROMISE, notYet, [408, ''], notYet, [200, { metrics: { x: 1 } }]];
  expect(await serviceOf().result('optim_step', { seq_id: 4 })).toEqual({ metrics: { x: 1 } });
  expect(paths()).toEqual(['optim_step', ...new Array(4).fill('retrieve_future')]);
  expect(seen.map(({ key }) => key)).toEqual(new Array(5).fill(KEY));
  expect(seen[1]!.body).toBe('{"request_id":"p1"}');
});

test.each<[string, Reply]>([
  ['overload', [503, 'overloaded']],
  ['a gateway', [502, '<html>']],
  ['a connection that breaks', 'break'],
])('%s: the same call is sent again, after longer and longer waits', async (_what, reply) => {
  replies = [reply, reply, [200, { ok: 1 }]];
  const service = serviceOf();
  expect(await service.ask('create_session', { a: 1 })).toEqual({ ok: 1 });
  expect(new Set(seen.map(({ body }) => body)).size).toBe(1);
  expect(waits).toEqual([500, 1000]);
  expect(service.breaks).toBe(reply === 'break' ? 2 : 0);
});

test('who is told when to come again comes then', async () => {
  replies = [
    [429, 'slow down', { 'Retry-After': '7' }],
    [200, {}],
  ];
  await serviceOf().ask('create_session', {});
  expect(waits).toEqual([7000]);
});

test('a service that stays away fails the call when its patience is at an end, and says what was last', async () => {
  replies = [[503, 'overloaded']];
  const failing = serviceOf({ patience: 20 }).ask('create_session', {});
  await expect(failing).rejects.toThrow(ServiceAwayError);
  await expect(failing).rejects.toThrow(/answered create_session with 503: overloaded.*\(6 tries in 20 s\)/);
});

test('a promise that the service forgot is had by the same call again, and in the end given up', async () => {
  const gone: Reply = [410, 'gone'];
  replies = [PROMISE, gone, PROMISE, [200, { done: 1 }]];
  expect(await serviceOf().result('optim_step', { seq_id: 1 })).toEqual({ done: 1 });
  expect(seen[0]!.body).toBe(seen[2]!.body);
  replies = [PROMISE, gone, PROMISE, gone, PROMISE, gone];
  await expect(serviceOf().result('optim_step', { seq_id: 1 })).rejects.toThrow(EngineLostError);
});

test('a result that never comes is given up, and the call may be tried again', async () => {
  replies = [PROMISE, [200, { type: 'try_again' }]];
  const failing = serviceOf().result('asample', {});
  await expect(failing).rejects.toThrow(/no result of asample within 10 s/);
  await expect(failing).rejects.toThrow(EngineLostError);
});

test.each<[string, Reply, Kind, RegExp]>([
  ['a model that is not loaded', [400, { detail: 'Model m not loaded' }], EngineLostError, /counts as gone/],
  ['an unknown model', [404, { detail: 'unknown' }], EngineLostError, /counts as gone/],
  ['a name that is taken', [409, { detail: 'exists' }], TakenError, /exists/],
  ['a wrong key', [401, { detail: `no: ${KEY}` }], EngineRequestError, /no: \[key\].*Set the key/],
  ['no money', [402, ''], EngineRequestError, /402: nothing. It wants to be paid/],
  ['another protocol', [422, 'extra'], EngineRequestError, /422: extra. Is it a training service/],
  ['a call that is wrong', [400, 'bad rank'], EngineRequestError, /400: bad rank$/],
  [
    'no JSON',
    [200, '<html>Welcome</html>'],
    EngineRequestError,
    /expected an answer in JSON, got application\/json: <html>Welcome/,
  ],
])('%s is told by one clear message', async (_what, reply, kind, message) => {
  replies = [reply];
  const failing = serviceOf().ask('forward_backward', {});
  await expect(failing).rejects.toThrow(kind);
  await expect(failing).rejects.toThrow(message);
  expect(seen).toHaveLength(1);
});

test.each<[string, Reply, Kind]>([
  ['by the caller', [200, { error: 'wrong shape', category: 'user' }], EngineRequestError],
  ['by the service', [200, { error: 'out of memory', category: 'server' }], EngineLostError],
  ['for good, on a model that is gone', [400, { detail: 'Model m not loaded' }], EngineLostError],
])('a promise that failed %s', async (_whose, reply, kind) => {
  replies = [PROMISE, reply];
  await expect(serviceOf().result('forward_backward', {})).rejects.toThrow(kind);
});

test('a result that is not the protobuf it should be is told as another protocol', async () => {
  const decode = () => {
    throw new Error('broken');
  };
  replies = [PROMISE, [200, Buffer.from([1, 2, 3]), { 'Content-Type': 'application/x-protobuf' }]];
  await expect(serviceOf().result('asample', {}, { decode })).rejects.toThrow(
    /in the protobuf of SDK 0.25, got .*: 3 bytes/,
  );
  replies = [PROMISE, [200, { sequences: [] }]];
  await expect(serviceOf().result('asample', {}, { decode })).rejects.toThrow(/expected an answer in protobuf/);
});

test('an archive is followed to where it lies, and the key stays here', async () => {
  const elsewhere = createServer((request, response) => response.end(`key ${request.headers['x-api-key']}`));
  await new Promise<void>(started => elsewhere.listen(0, '127.0.0.1', started));
  replies = [[302, '', { Location: `http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}/signed` }]];
  expect((await serviceOf().archive('training_runs/m/checkpoints/s1/archive')).toString()).toBe('key undefined');
  elsewhere.close();
});

test('an abort ends a wait at once', async () => {
  replies = [PROMISE, [200, { type: 'try_again' }]];
  const stop = new AbortController();
  const failing = serviceOf({ clock: TINKER_DEFAULTS.clock }).result('asample', {}, { signal: stop.signal });
  setTimeout(() => stop.abort(new Error('cancelled')), 30);
  await expect(failing).rejects.toThrow('cancelled');
});
