import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectionSettings } from '../../workers/connection';

let folder: string;
let file: string;
const before = { ...process.env };
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'longhaul-connection-'));
  file = join(folder, 'temporal.toml');
  for (const name of Object.keys(process.env)) if (name.startsWith('TEMPORAL_')) delete process.env[name];
  process.env.TEMPORAL_CONFIG_FILE = file;
});
afterEach(async () => {
  process.env = { ...before };
  await rm(folder, { recursive: true });
});

test('with nothing said, the server is left to its default and the namespace is "default"', () => {
  expect(connectionSettings()).toMatchObject({
    connection: { address: undefined, tls: undefined },
    namespace: 'default',
  });
});

test('flags come before the environment, and that before the profile', async () => {
  await writeFile(file, '[profile.default]\naddress = "profile:1"\nnamespace = "profile"\n');
  expect(connectionSettings()).toMatchObject({ connection: { address: 'profile:1' }, namespace: 'profile' });
  process.env.TEMPORAL_ADDRESS = 'environment:2';
  expect(connectionSettings()).toMatchObject({ connection: { address: 'environment:2' }, namespace: 'profile' });
  expect(connectionSettings({ address: 'flag:3', namespace: 'flag' })).toMatchObject({
    connection: { address: 'flag:3' },
    namespace: 'flag',
  });
});

test('another profile by name', async () => {
  await writeFile(file, '[profile.default]\naddress = "a:1"\n[profile.cloud]\naddress = "b:2"\napi_key = "k"\n');
  expect(connectionSettings({ profile: 'cloud' })).toMatchObject({
    connection: { address: 'b:2', apiKey: 'k', tls: true },
  });
});

test('certificates switch TLS on, and --no-tls switches it off', async () => {
  for (const name of ['crt', 'key', 'ca']) await writeFile(join(folder, name), name);
  const { connection } = connectionSettings({
    tlsCertPath: join(folder, 'crt'),
    tlsKeyPath: join(folder, 'key'),
    tlsCaPath: join(folder, 'ca'),
    tlsServerName: 'temporal.example.com',
  });
  expect(connection.tls).toMatchObject({ serverNameOverride: 'temporal.example.com' });
  const { clientCertPair, serverRootCACertificate } = connection.tls as {
    clientCertPair: { crt: Uint8Array; key: Uint8Array };
    serverRootCACertificate: Uint8Array;
  };
  expect([clientCertPair.crt, clientCertPair.key, serverRootCACertificate].map(String)).toEqual(
    ['crt', 'key', 'ca'].map(name => String(new Uint8Array(Buffer.from(name)))),
  );
  expect(connectionSettings({ apiKey: 'k', tls: false }).connection.tls).toBe(false);
});
