/** The local stack on the real server: its data outlives it, and a killed owner leaves nothing in the way. */
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { identify, isAlive } from '../../../activities/store/process-identity';
import { claimPort } from '../../../infra/local/ports';
import { profileOf, runningStack, stackEnvironment, startStack } from '../../../infra/local/stack';
import { StackFile, type StackRecord } from '../../../infra/local/stack-file';
import { Supervised } from '../../../infra/local/supervised';

let state: string;
beforeEach(async () => {
  state = await mkdtemp(join(tmpdir(), 'longhaul-stack-'));
});
afterEach(() => rm(state, { recursive: true, force: true }));

const start = (lines: string[] = []) =>
  startStack({ state, store: join(state, 'store'), workers: [], log: line => lines.push(line) });

async function withClient<T>(address: string, use: (client: Client) => Promise<T>): Promise<T> {
  const connection = await Connection.connect({ address });
  try {
    return await use(new Client({ connection }));
  } finally {
    await connection.close();
  }
}

test('comes up, is joined by a second, goes down, and comes up again with its data', async () => {
  const first = await start();
  try {
    expect(first.owned).toBe(true);
    expect(runningStack(state)).toEqual({ address: first.address, ui: first.ui });
    expect((await fetch(first.ui)).status).toBe(200);
    expect(await readFile(profileOf(state), 'utf8')).toContain(`address = "${first.address}"`);
    await withClient(first.address, client =>
      client.workflow.start('curriculum', { taskQueue: 'nobody', workflowId: 'kept', args: [{}] }),
    );

    const lines: string[] = [];
    const second = await start(lines);
    expect(second).toMatchObject({ owned: false, address: first.address });
    expect(lines).toEqual([`joining the stack that process ${process.pid} runs`]);
    await second.stop();
    expect(second.alive()).toBe(true);
  } finally {
    await first.stop();
  }
  expect(runningStack(state)).toBeNull();

  const again = await start();
  try {
    const { status } = await withClient(again.address, client => client.workflow.getHandle('kept').describe());
    expect(status.name).toBe('RUNNING');
  } finally {
    await again.stop();
  }
});

test("a killed owner's stack file is taken over, and the processes it left are ended", async () => {
  const left = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { detached: true, stdio: 'ignore' });
  const child = identify(left.pid!)!;
  const path = join(state, 'stack.json');
  const mine = (await StackFile.take(path)) as StackFile;
  mine.update({ children: [child] });
  const living = await StackFile.take(path);
  expect((living as StackRecord).owner.pid).toBe(process.pid);

  const record = JSON.parse(await readFile(path, 'utf8')) as StackRecord;
  record.owner.started = 'long ago'; // another process has the number now
  await writeFile(path, JSON.stringify(record));
  const ended = new Promise(resolve => left.once('exit', resolve));
  expect(await StackFile.take(path)).toBeInstanceOf(StackFile);
  await ended;
  expect(isAlive(child)).toBe(false);
});

test('a supervised process is started again when it ends, and stops when asked', async () => {
  const told: string[] = [];
  let starts = 0;
  const twice = new Promise<void>(resolve => {
    const child = new Supervised({
      name: 'test process',
      command: process.execPath,
      args: ['-e', 'process.exit(3)'],
      env: process.env,
      logFile: join(state, 'log'),
      channel: true,
      onEnd: line => told.push(line),
      onStart: () => {
        starts += 1;
        if (starts === 2) resolve(child.stop(1000));
      },
    });
    child.start();
  });
  await twice;
  expect(told[0]).toMatch(/^the test process ended \(exit code 3\); started again in 0.5 s\. Its log: /);
  expect(starts).toBe(2);
});

test('a process that does not heed its end is killed after its grace time', async () => {
  const child = new Supervised({
    name: 'deaf process',
    command: process.execPath,
    args: ['-e', 'process.on("SIGTERM", () => {}); process.send("up"); setInterval(() => {}, 1000)'],
    env: process.env,
    logFile: join(state, 'log'),
    channel: true,
    onEnd: () => {},
    onStart: () => {},
  });
  child.start();
  const { identity } = child;
  await new Promise(resolve => setTimeout(resolve, 300));
  await child.stop(100);
  expect(isAlive(identity!)).toBe(false);
});

test('a taken port is passed over unless it was asked for by number', async () => {
  const server = createServer();
  const taken = await new Promise<number>(resolve =>
    server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port)),
  );
  try {
    const { port } = await claimPort(undefined, taken);
    expect(port).not.toBe(taken);
    await expect(claimPort(taken, 7233)).rejects.toThrow(`Port ${taken} is taken`);
  } finally {
    await new Promise(resolve => server.close(resolve));
  }
});

test('of two that come up at the same time one gets the usual port, until its server listens there', async () => {
  const usual = 28_371;
  const claims = await Promise.all([claimPort(undefined, usual), claimPort(undefined, usual)]);
  expect(claims.filter(({ port }) => port === usual)).toHaveLength(1);
  for (const claim of claims) claim.release();
  const next = await claimPort(undefined, usual);
  expect(next.port).toBe(usual);
  next.release();
});

test("a person's server and build of a deployment do not reach the stack's processes", () => {
  const before = { ...process.env };
  Object.assign(process.env, {
    TEMPORAL_ADDRESS: 'far:7233',
    LONGHAUL_DEPLOYMENT: 'rl',
    LONGHAUL_BUILD_ID: '1',
    KEY: 'k',
  });
  const { TEMPORAL_ADDRESS, LONGHAUL_DEPLOYMENT, LONGHAUL_BUILD_ID, KEY, ...rest } = stackEnvironment(state, 'store');
  process.env = before;
  expect([TEMPORAL_ADDRESS, LONGHAUL_DEPLOYMENT, LONGHAUL_BUILD_ID, KEY]).toEqual([
    undefined,
    undefined,
    undefined,
    'k',
  ]);
  expect(rest).toMatchObject({ TEMPORAL_CONFIG_FILE: profileOf(state), LONGHAUL_STORE: 'store' });
});
