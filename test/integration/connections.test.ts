/** Workers and clients on a real server: through mutual TLS, with an API key, and in their own namespace alone. */
import { execFile } from 'node:child_process';
import { createSecureServer, type Http2SecureServer, type Http2Session } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Client, Connection, WorkflowFailedError } from '@temporalio/client';
import { NativeConnection } from '@temporalio/worker';
import { TASK_QUEUE } from '../../activities/contract/index.js';
import { createControlActivities } from '../../activities/index.js';
import { innermost } from '../../infra/view/follow.js';
import { type ConnectionFlags, connectionSettings } from '../../workers/connection.js';
import { runWorker } from '../../workers/worker.js';
import { type SmallRun, smallRun } from '../support/small-run.js';
import { startServer, type TestServer, until } from '../support/temporal-server.js';
import { TLS_OPTIONS, TlsFront, tlsFile } from '../support/tls-front.js';

jest.setTimeout(60_000);

let server: TestServer;
let small: SmallRun;
const outer = { ...process.env };
beforeAll(async () => {
  for (const name of Object.keys(process.env)) if (name.startsWith('TEMPORAL_')) delete process.env[name];
  process.env.TEMPORAL_CONFIG_FILE = join(__dirname, 'no-such-file.toml');
  server = await startServer();
  small = await smallRun();
});
afterAll(async () => {
  process.env = outer;
  await server?.env.teardown();
  await small?.remove();
});

/** A CPU worker on these flags for as long as `use` takes. */
async function withWorker<T>(connection: ConnectionFlags, use: () => Promise<T>): Promise<T> {
  const stop = new AbortController();
  const inHand = join(small.folder, 'in-hand');
  const settings = {
    connection,
    inHand,
    store: small.store.root,
    modelCache: small.folder,
    readPreset: small.deps.readPreset,
  };
  let running: Promise<void> | undefined;
  const failed = new Promise<never>((_, reject) => {
    running = runWorker(
      { ...settings, stop: stop.signal },
      { taskQueue: TASK_QUEUE, workflowBundle: server.bundle, activities: createControlActivities(small.deps) },
    );
    running.catch(reject);
  });
  try {
    return await Promise.race([use(), failed]);
  } finally {
    stop.abort();
    await running;
  }
}

async function withClient<T>(flags: ConnectionFlags, use: (client: Client) => Promise<T>): Promise<T> {
  const { connection: options, namespace } = connectionSettings(flags);
  const connection = await Connection.connect(options);
  try {
    return await use(new Client({ connection, namespace }));
  } finally {
    await connection.close();
  }
}

/** A run whose spec a worker must have read to refuse it. */
const start = (client: Client, workflowId: string) =>
  client.workflow.start('curriculum', { workflowId, taskQueue: TASK_QUEUE, args: [{ ...small.spec, seed: 'one' }] });
const refusal = async (result: Promise<unknown>): Promise<string> => {
  const error = await result.then(
    () => new Error('it succeeded'),
    (found: Error) => found,
  );
  if (!(error instanceof WorkflowFailedError)) throw error;
  return innermost(error);
};

describe('mutual TLS', () => {
  let front: TlsFront;
  let flags: ConnectionFlags;
  beforeAll(async () => {
    front = await new TlsFront(server.env.address).start();
    flags = {
      address: front.address,
      tlsCaPath: tlsFile('ca.crt'),
      tlsServerName: 'temporal.test',
      tlsCertPath: tlsFile('client.crt'),
      tlsKeyPath: tlsFile('client.key'),
    };
  });
  afterAll(() => front.stop());

  test('a worker and a client that show their certificates do a run together', async () => {
    await withWorker(flags, () =>
      withClient(flags, async client => {
        const handle = await start(client, 'through-tls');
        expect(await refusal(handle.result())).toMatch(/seed: expected a (whole )?number/);
      }),
    );
    expect(front.guests).toEqual(new Set(['a worker']));
  });

  const without = ({ tlsCertPath: _, tlsKeyPath: __, ...rest }: ConnectionFlags) => rest;
  test.each<[string, (flags: ConnectionFlags) => ConnectionFlags]>([
    ['no certificate', without],
    ['another authority’s', f => ({ ...f, tlsCertPath: tlsFile('stranger.crt'), tlsKeyPath: tlsFile('stranger.key') })],
    ['no TLS', ({ address }) => ({ address: address!, tls: false })],
  ])('with %s neither is let in', async (_, change) => {
    const { connection } = connectionSettings(change(flags));
    await expect(NativeConnection.connect(connection)).rejects.toThrow();
    await expect(Connection.connect({ ...connection, connectTimeout: '2s' })).rejects.toThrow();
  });

  test.each<[string, Partial<ConnectionFlags>]>([
    ['has another name', { tlsServerName: 'elsewhere.test' }],
    ['another authority vouches for', { tlsCaPath: tlsFile('stranger.crt') }],
  ])('a server that %s is not trusted', async (_, change) => {
    const { connection } = connectionSettings({ ...flags, ...change });
    await expect(NativeConnection.connect(connection)).rejects.toThrow();
    await expect(Connection.connect({ ...connection, connectTimeout: '2s' })).rejects.toThrow();
  });
});

/** A message of no bytes, which stands for one without any field, with its length before it. */
const EMPTY_REPLY = Buffer.alloc(5);

describe('an API key', () => {
  let gateway: Http2SecureServer;
  let keys: Set<string | undefined>;
  const sessions = new Set<Http2Session>();
  let address: string;
  beforeEach(async () => {
    keys = new Set();
    gateway = createSecureServer({ ...TLS_OPTIONS, requestCert: false });
    gateway.on('session', session => sessions.add(session));
    gateway.on('stream', (stream, headers) => {
      keys.add(headers.authorization);
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
      stream.end(EMPTY_REPLY);
    });
    await new Promise<void>(started => gateway.listen(0, '127.0.0.1', started));
    address = `127.0.0.1:${(gateway.address() as AddressInfo).port}`;
  });
  afterEach(async () => {
    for (const session of sessions) session.destroy();
    await new Promise<void>(closed => gateway.close(() => closed()));
  });

  test.each<[string, Partial<ConnectionFlags>, NodeJS.ProcessEnv]>([
    ['on the command line', { apiKey: 'key-of-mine' }, {}],
    ['in the environment', {}, { TEMPORAL_API_KEY: 'key-of-mine' }],
  ])('%s arrives with what workers and clients ask, over TLS', async (_, given, environment) => {
    Object.assign(process.env, environment);
    const flags = { address, ...given, tlsCaPath: tlsFile('ca.crt'), tlsServerName: 'temporal.test' };
    const { connection } = connectionSettings(flags);
    for (const name of Object.keys(environment)) delete process.env[name];
    for (const kind of [NativeConnection, Connection]) {
      keys.clear();
      await (await kind.connect(connection)).close();
      expect(keys).toEqual(new Set(['Bearer key-of-mine']));
    }
  });
});

test('a worker takes no work but its namespace’s', async () => {
  const { address } = server.env;
  const create = ['operator', 'namespace', 'create', '--namespace', 'other', '--address', address];
  await promisify(execFile)(server.temporal, create);
  const other = { address, namespace: 'other' };
  await withClient({ address }, mine =>
    withClient(other, async theirs => {
      // A namespace is known to all parts of the server a little after it was made.
      let handle: Awaited<ReturnType<typeof start>> | undefined;
      await until(async () => {
        handle = await start(theirs, 'one-name').catch(() => undefined);
        return handle !== undefined;
      });
      const untouched = await start(mine, 'one-name');
      await withWorker(other, async () => expect(await refusal(handle!.result())).toMatch(/seed/));
      const { events } = await untouched.fetchHistory();
      expect(events?.map(event => event.eventId?.toString())).toEqual(['1', '2']);
      await withWorker({ address }, async () => expect(await refusal(untouched.result())).toMatch(/seed/));
    }),
  );
});
