/** That a real worker's loss is handed back on a real server is in test/integration/kills.long.test.ts. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Context } from '@temporalio/activity';
import { ActivityNotFoundError, type AsyncCompletionClient } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { identify } from '../../activities/store/process-identity.js';
import { InHand } from '../../workers/in-hand.js';

const TOKEN = Buffer.from('token');
let folder: string;
let inHand: InHand;
let dead: ChildProcess;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'longhaul-in-hand-'));
  inHand = new InHand(folder, 'here:7233/default');
  dead = spawn('sleep', ['1000']);
  await once(dead, 'spawn');
});
afterEach(async () => {
  dead.kill('SIGKILL');
  await rm(folder, { recursive: true, force: true });
});

/** Stands for the server: notes what is handed back. */
function activities(refuse?: Error) {
  const failed: { token: string; failure: ApplicationFailure }[] = [];
  const fail = async (token: Uint8Array, failure: ApplicationFailure) => {
    if (refuse) throw refuse;
    failed.push({ token: Buffer.from(token).toString(), failure });
  };
  return { failed, client: { fail } as unknown as AsyncCompletionClient };
}

/** An activity under way, seen from inside. */
async function during<T>(look: () => Promise<T>): Promise<T> {
  const { inbound } = inHand.interceptor({ info: { taskToken: TOKEN, activityType: 'update' } } as unknown as Context);
  return (await inbound!.execute!({ args: [], headers: {} }, look)) as T;
}

/** The note of an activity that `dead` has in hand, as long as it lives. */
async function noteOfAnother(change: object = {}): Promise<void> {
  const note = await during(async () => readFile(join(folder, (await readdir(folder))[0]!), 'utf8'));
  await writeFile(
    join(folder, 'note.json'),
    JSON.stringify({ ...JSON.parse(note), owner: identify(dead.pid!), ...change }),
  );
}

async function killOther(): Promise<void> {
  dead.kill('SIGKILL');
  await once(dead, 'exit');
}

test('an activity is written down for as long as it takes, whether it succeeds or fails', async () => {
  await during(async () => expect(await readdir(folder)).toHaveLength(1));
  await expect(during(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
  expect(await readdir(folder)).toEqual([]);
});

test('what a dead worker had in hand is handed back once, to be tried again; that of a living one is left', async () => {
  const { client, failed } = activities();
  await noteOfAnother();
  expect(await inHand.handBack(client)).toBe(0);
  await killOther();
  expect(await inHand.handBack(client)).toBe(1);
  expect(await inHand.handBack(client)).toBe(0);
  expect(failed).toEqual([{ token: 'token', failure: expect.any(ApplicationFailure) }]);
  expect(failed[0]!.failure).toMatchObject({ type: 'WorkerLost', nonRetryable: false });
  expect(await readdir(folder)).toEqual([]);
});

test('what the server has given to another by then needs no handing back', async () => {
  await noteOfAnother();
  await killOther();
  expect(await inHand.handBack(activities(new ActivityNotFoundError('gone')).client)).toBe(0);
  expect(await readdir(folder)).toEqual([]);
});

test('while the server is away it is kept for later', async () => {
  await noteOfAnother();
  await killOther();
  await expect(inHand.handBack(activities(new Error('away')).client)).rejects.toThrow('away');
  expect(await inHand.handBack(activities().client)).toBe(1);
});

test.each([{ host: 'another' }, { server: 'there:7233/default' }])('not its business: %j', async change => {
  await noteOfAnother(change);
  await killOther();
  const { client, failed } = activities();
  expect(await inHand.handBack(client)).toBe(0);
  expect(failed).toEqual([]);
});

test('half a note, of a worker killed at writing it, does no harm', async () => {
  await writeFile(join(folder, '1-1.json'), '{"owner"');
  expect(await inHand.handBack(activities().client)).toBe(0);
});
