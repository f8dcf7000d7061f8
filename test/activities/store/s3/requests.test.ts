/** How often a store in a bucket asks its server: each time is a way there and back, whatever the server. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { claimStage, findJson, publishJson } from '../../../../activities/store/index.js';
import { S3Store } from '../../../../activities/store/s3/s3-store.js';
import { StoreLink } from '../../../../infra/chaos/store-link.js';
import { driveRun } from '../../../support/drive.js';
import { haveS3Server, type S3Server, startS3Server } from '../../../support/s3-server.js';
import { smallRun } from '../../../support/small-run.js';

(haveS3Server ? describe : describe.skip)('on a bucket', () => {
  let server: S3Server;
  let link: StoreLink;
  let store: S3Store;
  /** `PUT artifacts/…`, below the store's prefix; of a listing what it is of. */
  let asked: string[] = [];

  beforeAll(async () => {
    server = await startS3Server();
  });
  afterAll(() => server.stop());
  beforeEach(async () => {
    const { root } = await server.store();
    link = await StoreLink.listen(server.environment.AWS_ENDPOINT_URL_S3!);
    link.onAsked = (method, path) => {
      const [at, query = ''] = path.split('?');
      const listed = /(?:^|&)prefix=store\/([^&]*)/.exec(query)?.[1];
      asked.push(listed === undefined ? `${method} ${at!.split('/store/')[1]}` : `LIST ${listed}`);
    };
    // Where the client looks for it.
    process.env.AWS_ENDPOINT_URL_S3 = link.url;
    store = new S3Store(root);
    await store.open();
    asked = [];
  });
  afterEach(() => {
    process.env.AWS_ENDPOINT_URL_S3 = server.environment.AWS_ENDPOINT_URL_S3;
    link.close();
  });

  const STAGE = 'store:runs/r/phase-1';
  const fence = { stage: STAGE, attempt: 1 };

  test('a file: whether the attempt is the current one, what was set aside under its name, and its creation', async () => {
    await claimStage(store, STAGE, { attempt: 1, overrides: {} });
    asked = [];
    await store.publishText(`${STAGE}/1/x.json`, '{}', fence);
    expect(asked.slice(0, 2).sort()).toEqual(['GET sums/runs/r/phase-1/1/x.json', 'LIST artifacts/runs/r/phase-1/']);
    expect(asked.slice(2)).toEqual(['PUT artifacts/runs/r/phase-1/1/x.json']);
  });

  test('finding a file by its name and reading it: once', async () => {
    await publishJson(store, `${STAGE}/1/x.json`, { a: 1 });
    asked = [];
    expect((await findJson(store, `${STAGE}/1/x.json`))?.value).toEqual({ a: 1 });
    expect(asked).toEqual(['GET artifacts/runs/r/phase-1/1/x.json']);
  });

  test('a folder: once for each of its files, and eight times however many there are; from the cache once', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'longhaul-requests-'));
    try {
      for (const name of ['a', 'b', 'c']) await writeFile(join(folder, name), name);
      await store.publishFolder('store:runs/r/checkpoints/p', folder, fence);
      expect(asked).toHaveLength(11);
      asked = [];
      await store.localFolder('store:runs/r/checkpoints/p');
      expect(asked).toHaveLength(4);
      asked = [];
      await store.localFolder('store:runs/r/checkpoints/p');
      expect(asked).toEqual(['GET artifacts/runs/r/checkpoints/p']);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });

  test('a step of training looks for what may be there, publishes, and reads nothing of its own again', async () => {
    const small = await smallRun(store);
    try {
      await driveRun(small);
      const logged = (step: number) => asked.indexOf(`PUT artifacts/runs/run/phase-2/1/steps/${step}/update.json`);
      const name = (of: string) => `runs/run/phase-2/1/steps/2/${of}`;
      const published = ['rollouts-0.jsonl', 'scores-0.jsonl', 'update.json'];
      const expected = [
        ...['rollouts-0.jsonl', 'update.json'].map(file => `GET artifacts/${name(file)}`),
        ...published.map(() => 'LIST artifacts/runs/run/phase-2/'),
        ...published.map(file => `GET sums/${name(file)}`),
        ...published.map(file => `PUT artifacts/${name(file)}`),
      ];
      expect(asked.slice(logged(1) + 1, logged(2) + 1).sort()).toEqual(expected.sort());
    } finally {
      await small.remove();
    }
  });
});
