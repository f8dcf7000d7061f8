import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EndpointRefusedError, MissingKeyError } from '../../../activities/remote/errors.js';
import { CustomRewardError } from '../../../activities/rewards/custom.js';
import { createRewarder, type GroupToReward } from '../../../activities/rewards/reward.js';
import { rewardSchema } from '../../../activities/rewards/settings.js';
import { FolderStore, sha256 } from '../../../activities/store/index.js';
import { hastyClock } from '../../support/fake-chat.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'longhaul-custom-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const signal = new AbortController().signal;
const group = (id: string, ...responses: string[]): GroupToReward => ({
  id,
  task: 'docqa',
  question: 'Where?',
  answers: ['Paris'],
  prompt: 'A text. Where?',
  responses,
});
const reward = (custom: object, groups: GroupToReward[], environment = {}, stop: AbortSignal = signal) =>
  createRewarder(rewardSchema.parse({ custom: { retrySeconds: 1, ...custom } }), {
    store: new FolderStore(folder),
    environment,
    clock: hastyClock(),
  }).reward(groups, { signal: stop, note: () => {} });
const rewardsOf = async (...asked: Parameters<typeof reward>) =>
  (await reward(...asked)).groups.map(given => given.rewards?.map(one => one.reward) ?? given);

async function module(text: string, name = 'reward.mjs'): Promise<string> {
  const file = join(folder, name);
  await writeFile(file, text);
  return file;
}

describe('a module', () => {
  test('sees a response and all about it', async () => {
    const file = await module('export default async input => ({ reward: 0.5, reason: JSON.stringify(input) });');
    const { groups } = await reward({ module: file }, [group('s1', 'In Paris.')]);
    const [given] = groups[0]!.rewards!;
    expect(given).toMatchObject({ reward: 0.5, rule: 0, extracted: null });
    const [origin, seen] = given!.reason.split(': {');
    expect(origin).toMatch(/^0.5 by .*reward.mjs \(sha256 [0-9a-f]{12}\)$/);
    expect(JSON.parse(`{${seen}`)).toEqual({
      id: 's1',
      task: 'docqa',
      question: 'Where?',
      answers: ['Paris'],
      prompt: 'A text. Where?',
      response: 'In Paris.',
    });
  });

  test('is named with the hash of its file', async () => {
    const text = 'export const reward = () => 1;';
    const { groups } = await reward({ module: await module(text) }, [group('s1', 'x')]);
    expect(groups[0]!.rewards![0]!.reason).toContain(`(sha256 ${sha256(text).slice(0, 12)})`);
  });

  test.each([
    ['default.mjs', 'export default () => 2;'],
    ['named.mjs', 'export const reward = () => 2;'],
    ['function.cjs', 'module.exports = () => 2;'],
    ['named.cjs', 'exports.reward = async () => 2;'],
    ['plain.js', 'module.exports = { reward: () => ({ reward: 2 }) };'],
  ])('may be written as %s', async (name, text) => {
    expect(await rewardsOf({ module: await module(text, name) }, [group('s1', 'x')])).toEqual([[2]]);
  });

  test('replaces the rule’s reward, or is taken where it is more', async () => {
    const file = await module('export default ({ response }) => (response.includes("Rome") ? 0.5 : 0.25);');
    const groups = [group('s1', 'the answer is Paris', 'the answer is Rome')];
    expect(await rewardsOf({ module: file }, groups)).toEqual([[0.25, 0.5]]);
    expect(await rewardsOf({ module: file, combine: 'max' }, groups)).toEqual([[1, 0.5]]);
  });

  test('may punish: rewards below zero are taken as they are', async () => {
    const file = await module('export default ({ response }) => (response.includes("Rome") ? -1 : { reward: -0.5 });');
    const groups = [group('s1', 'the answer is Paris', 'the answer is Rome')];
    expect(await rewardsOf({ module: file }, groups)).toEqual([[-0.5, -1]]);
    expect(await rewardsOf({ module: file, combine: 'max' }, groups)).toEqual([[1, 0]]);
  });

  test('answers many groups in their order', async () => {
    const file = await module('export default async ({ response }) => Number(response);');
    const groups = Array.from({ length: 12 }, (_, k) => group(`s${k}`, String(k), String(k + 0.5)));
    expect(await rewardsOf({ module: file, concurrency: 3 }, groups)).toEqual(groups.map((_, k) => [k, k + 0.5]));
  });

  test.each([
    ['throws', '() => { throw new Error("no idea"); }', /failed: Error: no idea/],
    ['gives NaN', '() => Number.NaN', /gave NaN: expected a finite number/],
    ['gives nothing', '() => {}', /gave undefined: expected/],
    ['gives null', '() => null', /gave null: expected/],
    ['gives a text', '() => "1"', /gave 1: expected/],
    ['gives infinity', '() => Infinity', /gave Infinity: expected/],
    ['gives a function', '() => () => 1', /failed: .*could not be cloned/],
    ['leaves', '() => process.exit(3)', /process\.exit\(3\)/],
  ])('that %s is said to be at fault, with file and sample', async (_, text, message) => {
    const file = await module(`export default ${text};`);
    const failure = reward({ module: file }, [group('s7', 'x')]);
    await expect(failure).rejects.toThrow(CustomRewardError);
    await expect(failure).rejects.toThrow(/custom reward .*reward\.mjs, asked about response 1 to sample s7, /);
    await expect(failure).rejects.toThrow(message);
  });

  test.each([
    ['exports nothing to call', 'export const x = 1;', /exports no function/],
    ['is no JavaScript', 'export default (', /SyntaxError/],
  ])('that %s is too', async (_, text, message) => {
    await expect(reward({ module: await module(text) }, [group('s1', 'x')])).rejects.toThrow(message);
  });

  test('that is not here is missed on this worker', async () => {
    const failure = reward({ module: join(folder, 'none.mjs') }, [group('s1', 'x')]);
    await expect(failure).rejects.toThrow(/none\.mjs cannot be read on this worker .*Every worker needs the file/);
    await expect(failure).rejects.not.toThrow(CustomRewardError);
  });

  test('may say that a reward cannot be had: the group is unscored', async () => {
    const file = await module(
      'export default ({ response }) => { if (response === "x") throw Object.assign(new Error("server away"), { unscored: true }); return 1; };',
    );
    expect(await rewardsOf({ module: file }, [group('s1', 'y', 'x'), group('s2', 'y')])).toEqual([
      { rewards: null, unscored: `${file}: server away` },
      [1],
    ]);
  });

  test('that never comes to an end, even in a loop, leaves its group unscored and the others alone', async () => {
    const file = await module('export default ({ response }) => { while (response === "loop"); return 1; };');
    const asked = [group('s1', 'loop'), group('s2', 'y'), group('s3', 'y')];
    expect(await rewardsOf({ module: file, timeoutSeconds: 0.5, concurrency: 1 }, asked)).toEqual([
      { rewards: null, unscored: `${file} gave no reward within 0.5 s` },
      [1],
      [1],
    ]);
  });

  test('is ended when the activity is', async () => {
    const file = await module('export default () => new Promise(() => setInterval(() => {}, 1000));');
    const stop = new AbortController();
    const asked = reward({ module: file }, [group('s1', 'x')], {}, stop.signal);
    setTimeout(() => stop.abort(new Error('enough')), 50);
    await expect(asked).rejects.toThrow('enough');
  });
});

describe('an endpoint', () => {
  let server: Server;
  let url: string;
  let seen: { authorization: string | undefined; body: { responses: string[] } }[];
  let answers: [number, string][];
  beforeEach(async () => {
    seen = [];
    answers = [];
    server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', chunk => chunks.push(chunk));
      request.on('end', () => {
        const body = JSON.parse(Buffer.concat(chunks).toString('utf8'));
        seen.push({ authorization: request.headers.authorization, body });
        const rewards = body.responses.map((text: string) => ({ reward: text.length, reason: 'its length' }));
        const [status, text] = answers.shift() ?? [200, JSON.stringify({ rewards })];
        response.writeHead(status).end(text);
      });
    });
    await new Promise<void>(started => server.listen(0, '127.0.0.1', started));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/reward`;
  });
  afterEach(async () => {
    server.closeAllConnections();
    await new Promise(stopped => server.close(stopped));
  });

  test('gets a group at a time and rewards each response', async () => {
    const custom = { url, keyVariable: 'REWARD_KEY' };
    const { groups } = await reward(custom, [group('s1', 'a', 'bcd')], { REWARD_KEY: 'secret-0123456789' });
    expect(groups[0]!.rewards!.map(({ reward, reason }) => [reward, reason])).toEqual([
      [1, `1 by ${url}: its length`],
      [3, `3 by ${url}: its length`],
    ]);
    expect(seen).toEqual([
      {
        authorization: 'Bearer secret-0123456789',
        body: {
          id: 's1',
          task: 'docqa',
          question: 'Where?',
          answers: ['Paris'],
          prompt: 'A text. Where?',
          responses: ['a', 'bcd'],
        },
      },
    ]);
    await expect(reward(custom, [group('s1', 'a')])).rejects.toThrow(MissingKeyError);
  });

  test('may punish', async () => {
    answers = [[200, '{"rewards": [1, -1]}']];
    expect(await rewardsOf({ url }, [group('s1', 'a', 'bcd')])).toEqual([[1, -1]]);
  });

  test.each([
    ['503', [503, 'busy'], /HTTP 503: busy/],
    ['no JSON', [200, 'NaN'], /no JSON: NaN/],
    ['None', [200, '{"rewards": [1, null]}'], /rewards\.1: expected a finite number/],
    ['too few', [200, '{"rewards": [1]}'], /expected one for each of 2 responses, found 1/],
    ['something else', [200, '{"scores": [1, 2]}'], /rewards: /],
  ] as [string, [number, string], RegExp][])(
    'that answers %s is asked again, then leaves the group unscored',
    async (_, answer, why) => {
      answers = [answer];
      expect(await rewardsOf({ url }, [group('s1', 'a', 'bcd')])).toEqual([[1, 3]]);
      expect(seen).toHaveLength(2);
      answers = Array(9).fill(answer);
      expect(await rewardsOf({ url }, [group('s1', 'a', 'bcd')])).toEqual([
        { rewards: null, unscored: expect.stringMatching(why) },
      ]);
    },
  );

  test('that refuses the key or the address ends the activity', async () => {
    answers = [[401, 'no']];
    await expect(reward({ url }, [group('s1', 'a')])).rejects.toThrow(EndpointRefusedError);
  });
});
