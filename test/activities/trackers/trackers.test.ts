/** Every tracker gets every point once, whatever is repeated, cut short or lost: one table of cases for all of them. */
import { appendFile, cp, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { UpdateRecord } from '../../../activities/artifacts/index.js';
import type { ExportSettings } from '../../../activities/spec/index.js';
import { FolderStore, publishJson, specUri } from '../../../activities/store/index.js';
import { CatchUp } from '../../../activities/trackers/catch-up.js';
import { STEP_METRICS } from '../../../activities/trackers/metrics.js';
import { RunReader } from '../../../activities/trackers/run-reader.js';
import { OtherRunError } from '../../../activities/trackers/tracker.js';
import { trackersOf } from '../../../activities/trackers/trackers.js';
import { readEvents } from '../../support/event-files.js';
import { FakeMlflow, FakeTrackio } from '../../support/fake-trackers.js';
import { finishedRun, ORDER, recordOf, viewOf } from '../../support/finished-run.js';
import type { SmallRun } from '../../support/small-run.js';

/** "step name" and the value, of every number that it has; sorted. */
type Seen = [place: string, value: number][];

interface Given {
  settings: ExportSettings;
  environment: Record<string, string>;
  /** What it has of a track; a number that it has twice is there twice. */
  seen(track: string): Promise<Seen>;
  /** Texts that it has of a track. */
  texts(track: string): Promise<string[]>;
  /** Of the files trackers. */
  file?(track: string): Promise<string>;
  /** Of the servers. */
  server?: FakeMlflow | FakeTrackio;
  stop(): Promise<void>;
}

let small: SmallRun;
let work: string;
let given: Given;
const signal = new AbortController().signal;

beforeAll(async () => {
  small = await finishedRun();
});
afterAll(() => small.remove());
beforeEach(async () => {
  work = await mkdtemp(join(tmpdir(), 'longhaul-trackers-'));
});
afterEach(async () => {
  await given.stop();
  await rm(work, { recursive: true, force: true });
});

const sorted = (seen: Seen): Seen => seen.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
const place = (step: number, name: string) => `${String(step).padStart(3)} ${name}`;

const KINDS: Record<keyof ExportSettings, () => Promise<Given>> = {
  tensorboard: async () => {
    const folder = join(work, 'logs');
    const file = async (track: string) => {
      const [name, ...others] = await readdir(join(folder, track));
      expect(others).toEqual([]);
      return join(folder, track, name!);
    };
    const values = async (track: string) => {
      const events = readEvents(await readFile(await file(track)));
      expect(events[0]!.fileVersion).toBe('brain.Event:2');
      return events.flatMap(({ step, values }) => values.map(value => ({ step, ...value })));
    };
    return {
      settings: { tensorboard: folder },
      environment: {},
      file,
      seen: async track =>
        sorted(
          (await values(track)).flatMap(({ step, tag, plugin, number }) =>
            plugin === 'scalars' ? [[place(step, tag), number ?? 0]] : [],
          ),
        ),
      texts: async track => (await values(track)).flatMap(({ text }) => text ?? []),
      stop: async () => {},
    };
  },
  jsonl: async () => {
    const pattern = join(work, 'points of {run}.jsonl');
    const file = async () => join(work, 'points of run.jsonl');
    const lines = async (track: string) =>
      (await readFile(await file(), 'utf8'))
        .split('\n')
        .slice(0, -1)
        .map(line => JSON.parse(line))
        .filter(line => line.track === track);
    return {
      settings: { jsonl: pattern },
      environment: {},
      file,
      seen: async track =>
        sorted(
          (await lines(track)).flatMap(line =>
            Object.entries(line).flatMap(
              ([name, value]): Seen => (name.includes('/') ? [[place(line.at, name), value as number]] : []),
            ),
          ),
        ),
      texts: async track => (await lines(track)).flatMap(({ texts }) => Object.values<string>(texts ?? {})),
      stop: async () => {},
    };
  },
  mlflow: async () => {
    const server = new FakeMlflow();
    const url = await server.start();
    const only = (track: string) => {
      const runs = server.live(track);
      expect(runs).toHaveLength(1);
      return runs[0]!;
    };
    return {
      settings: { mlflow: { url, experiment: 'an experiment' } },
      environment: {},
      server,
      seen: async track =>
        sorted([...only(track).metrics.values()].map(({ step, key, value }) => [place(step, key), value])),
      texts: async track => [only(track).tags.get('mlflow.note.content') ?? ''],
      stop: () => server.stop(),
    };
  },
  trackio: async () => {
    const server = new FakeTrackio();
    const url = await server.start();
    const logs = (track: string) => [...server.logs.values()].filter(({ run }) => run === track);
    return {
      settings: { trackio: { url, project: 'a-project' } },
      environment: { TRACKIO_WRITE_TOKEN: server.token },
      server,
      seen: async track =>
        sorted(
          logs(track).flatMap(({ step, metrics }) =>
            Object.entries(metrics).flatMap(
              ([name, value]): Seen => (typeof value === 'number' ? [[place(step, name), value]] : []),
            ),
          ),
        ),
      texts: async track =>
        logs(track).flatMap(({ metrics }) =>
          Object.values<{ _type?: string; _value?: string }>(metrics).flatMap(({ _value }) => _value ?? []),
        ),
      stop: () => server.stop(),
    };
  },
};

/** As by a process of its own. */
const catchUp = (store: FolderStore = small.store, settings = given.settings) =>
  new CatchUp(new RunReader(store, 'run'), trackersOf(settings, given.environment)[0]!);

/** What the log says, read here. */
async function logged(): Promise<Seen> {
  const seen: Seen = [];
  let at = 0;
  for (const stage of ['warmup', 'phase-1', 'phase-2']) {
    for (const step of [1, 2, 3]) {
      const record = await recordOf<UpdateRecord>(small.store, `store:runs/run/${stage}/1/steps/${step}/update.json`);
      at++;
      seen.push([place(at, 'progress/step_of_stage'), step]);
      if (record.counts) seen.push([place(at, 'reward/mean'), record.counts.meanReward!]);
      const losses = record.metrics.map(({ loss }) => loss);
      if (losses.length > 0) seen.push([place(at, 'policy/loss'), losses.reduce((a, b) => a + b) / losses.length]);
    }
  }
  return seen;
}

describe.each(Object.entries(KINDS))('%s', (kind, make) => {
  beforeEach(async () => {
    given = await make();
  });

  test('has every number of the log once, and the evaluations', async () => {
    const { written, behind, isWhole } = await catchUp().pass(signal);
    expect({ written, behind, isWhole }).toEqual({ written: 12, behind: 0, isWhole: true });
    const seen = await given.seen('run');
    const places = seen.map(([where]) => where);
    expect(new Set(places).size).toBe(places.length);
    const byPlace = new Map(seen);
    for (const [where, value] of await logged()) {
      expect([where, byPlace.get(where)]).toEqual([where, kind === 'tensorboard' ? Math.fround(value) : value]);
    }
    const evaluated = places.filter(where => where.includes('evaluation/'));
    expect(evaluated).toEqual(
      [0, 9].flatMap(at => ['high', 'low', 'score'].map(of => place(at, `evaluation/held-out/${of}`))),
    );
    const texts = (await given.texts('run')).join('\n');
    expect(texts).toContain('| final | held-out |');
    if (kind !== 'mlflow') expect(texts).toContain('answer: A');
  });

  test('is as if it had been written at once, though each point came with a process of its own', async () => {
    for (let count = 1; count <= ORDER.length; count++) {
      expect((await catchUp(viewOf(small.store, count)).pass(signal)).behind).toBe(0);
      expect((await catchUp(viewOf(small.store, count)).pass(signal)).written).toBe(0);
    }
    const grown = await given.seen('run');
    await given.stop();
    await rm(work, { recursive: true });
    given = await make();
    await catchUp().pass(signal);
    expect(await given.seen('run')).toEqual(grown);
  });

  test('two at once write each point once', async () => {
    await catchUp(viewOf(small.store, 4)).pass(signal);
    await Promise.all([1, 2, 3].map(() => catchUp().pass(signal)));
    const both = await given.seen('run');
    expect(new Set(both.map(([where]) => where)).size).toBe(both.length);
    expect((await catchUp().pass(signal)).present).toBe(12);
  });

  test('a stage that is begun anew has a track of its own, and what was given up keeps its', async () => {
    const store = await replayed();
    expect((await catchUp(store).pass(signal)).behind).toBe(0);
    const steps = async (track: string) =>
      (await given.seen(track)).flatMap(([where]) =>
        where.endsWith('step_of_stage') ? Number(where.slice(0, 3)) : [],
      );
    expect(await steps('run')).toEqual([1, 2, 3, 4, 5]);
    expect(await steps('run@phase-1.2')).toEqual([4, 5, 6, 7, 8, 9]);
    expect((await catchUp(store).pass(signal)).written).toBe(0);
  });

  test('another run of the name takes nothing from it and adds nothing to it', async () => {
    await catchUp().pass(signal);
    const before = await given.seen('run');
    const other = await ofOtherSpec();
    if (given.file) {
      const bytes = await readFile(await given.file('run'));
      await expect(catchUp(other).pass(signal)).rejects.toThrow(OtherRunError);
      expect(await readFile(await given.file('run'))).toEqual(bytes);
    } else {
      await catchUp(other).pass(signal);
      await expect(catchUp().pass(signal)).resolves.toMatchObject({ written: 0, present: 12 });
      if (given.server instanceof FakeMlflow)
        expect(given.server.live('run').map(run => run.metrics.size)).toEqual([before.length, before.length]);
    }
  });
});

describe.each(['tensorboard', 'jsonl'] as const)('%s, cut short', kind => {
  beforeEach(async () => {
    given = await KINDS[kind]();
  });

  test('at any byte of its end, is mended to the same bytes', async () => {
    await catchUp().pass(signal);
    const file = await given.file!('run');
    const whole = await readFile(file);
    for (let cut = whole.length - 1; cut > whole.length - 1500; cut -= 97) {
      await truncate(file, cut);
      await catchUp().pass(signal);
      expect((await readFile(file)).equals(whole)).toBe(true);
    }
  });

  test('and while it is written: what another process cut off is written again', async () => {
    const long = catchUp(viewOf(small.store, 5));
    await long.pass(signal);
    const file = await given.file!('run');
    const early = await readFile(file);
    await truncate(file, early.length - 7);
    const rest = new CatchUp(new RunReader(small.store, 'run'), long.tracker);
    await rest.pass(signal);
    expect((await readFile(file)).subarray(0, early.length).equals(early)).toBe(true);
    expect((await given.seen('run')).filter(([where]) => where.endsWith('step_of_stage'))).toHaveLength(9);
  });

  test('with zeros behind its end, as disks that lost power have them, is mended', async () => {
    await catchUp().pass(signal);
    const file = await given.file!('run');
    const whole = await readFile(file);
    await appendFile(file, Buffer.alloc(4096));
    await catchUp().pass(signal);
    expect((await readFile(file)).equals(whole)).toBe(true);
  });
});

describe.each(['mlflow', 'trackio'] as const)('%s, away', kind => {
  beforeEach(async () => {
    given = await KINDS[kind]();
  });

  test.each(['answer lost', 'away'] as const)(
    'at any of its requests (%s), has each point once at the end',
    async fate => {
      await catchUp().pass(signal);
      const [undisturbed, requests] = [await given.seen('run'), given.server!.requests];
      for (let at = 1; at <= requests; at++) {
        await given.stop();
        given = await KINDS[kind]();
        given.server!.fate = () => (given.server!.requests === at ? fate : 'fine');
        await expect(catchUp().pass(signal)).rejects.toThrow(/does not answer/);
        await catchUp().pass(signal);
        expect(await given.seen('run')).toEqual(undisturbed);
      }
    },
  );

  test('and another server in its place gets all of it', async () => {
    const one = catchUp(viewOf(small.store, 6));
    await one.pass(signal);
    await given.stop();
    await expect(catchUp().pass(signal)).rejects.toThrow(/does not answer \(E/);
    given = await KINDS[kind]();
    await catchUp().pass(signal);
    expect((await given.seen('run')).filter(([where]) => where.endsWith('step_of_stage'))).toHaveLength(9);
  });
});

test.each(['a line of somebody else', 'two\nlines\n'])(
  'jsonl: a file of somebody else is left as it is: %j',
  async text => {
    given = await KINDS.jsonl();
    const file = await given.file!('run');
    await writeFile(file, text);
    await expect(catchUp().pass(signal)).rejects.toThrow(`${file}:1 is no line of metrics`);
    expect(await readFile(file, 'utf8')).toBe(text);
  },
);

test('what is missing in the store is said, and all before it is written', async () => {
  given = await KINDS.tensorboard();
  const store = await replayed();
  await store.setAside('store:runs/run/phase-1/2/steps/2/update.json');
  expect(await catchUp(store).pass(signal)).toMatchObject({ written: 9, behind: 6, isWhole: false });
  const other = new FolderStore(small.store.root);
  const list = other.list.bind(other);
  other.list = async uri => (await list(uri)).filter(name => !name.startsWith('final.'));
  given = await KINDS.jsonl();
  expect(await catchUp(other).pass(signal)).toMatchObject({ written: 11, waitsFor: 'the evaluation "final"' });
});

test('MLflow: a run that is over is marked so, with its parameters, and names are those that it takes', async () => {
  given = await KINDS.mlflow();
  await catchUp().pass(signal);
  const [run] = (given.server as FakeMlflow).live('run');
  expect(run!.info).toMatchObject({ status: 'FINISHED', end_time: expect.any(Number) });
  expect(Object.fromEntries(run!.params)).toMatchObject({ seed: '7', 'rl.groupSize': '4', 'phases.1.maxTokens': '60' });
  for (const name of Object.keys(STEP_METRICS)) expect(name).toMatch(/^[a-z]+\/[a-z_]+$/);
});

test('trackio: what it said that it took and has not is no success; its token is shown to nobody', async () => {
  given = await KINDS.trackio();
  const server = given.server as FakeTrackio;
  server.drops = true;
  await expect(catchUp().pass(signal)).rejects.toThrow('took points and has 0 of 12');
  server.drops = false;
  await catchUp().pass(signal);
  given.environment.TRACKIO_WRITE_TOKEN = 'another-token-of-some-length';
  server.logs.clear();
  const error = await catchUp()
    .pass(signal)
    .catch((error: Error) => error);
  expect(String(error)).toContain('HTTP 400');
  expect(String(error)).not.toContain('another-token');
});

/** A copy in which phase 1 was given up after two steps and begun anew: attempt 2 is what attempt 1 was. */
async function replayed(): Promise<FolderStore> {
  const root = join(work, 'replayed');
  await cp(small.store.root, root, { recursive: true });
  const phase = join(root, 'runs/run/phase-1');
  await cp(join(phase, '1'), join(phase, '2'), { recursive: true });
  await rm(join(phase, '2/claim.json'));
  await rm(join(phase, '2/.sums'), { recursive: true, force: true });
  await rm(join(phase, '1/steps/3'), { recursive: true });
  const store = new FolderStore(root);
  await publishJson(store, 'store:runs/run/phase-1/2/claim.json', { attempt: 2, overrides: {} });
  return store;
}

async function ofOtherSpec(): Promise<FolderStore> {
  const root = join(work, 'other');
  await cp(small.store.root, root, { recursive: true });
  const store = new FolderStore(root);
  const spec = await recordOf<Record<string, unknown>>(store, specUri('run'));
  await store.remove(specUri('run'));
  await publishJson(store, specUri('run'), { ...spec, seed: 8 });
  return store;
}
