/** A run that trains an adapter: the model once in the store, its policies as adapters beside it. */
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ApplicationFailure } from '@temporalio/common';
import { createActivities } from '../../../activities/index.js';
import { driveRun } from '../../support/drive.js';
import { type SmallRun, smallRun } from '../../support/small-run.js';

let small: SmallRun;
beforeEach(async () => {
  small = await withLora({});
});
afterEach(() => small.remove());

async function withLora(lora: object | null): Promise<SmallRun> {
  const run = await smallRun();
  Object.assign(run.spec, { lora });
  return run;
}

const checkpoint = (name: string, ...path: string[]) => join(small.store.root, 'runs/run/checkpoints', name, ...path);

async function evaluate(policy: Awaited<ReturnType<typeof driveRun>>['final']): Promise<unknown> {
  const [spec, data] = await Promise.all(
    ['spec.json', 'data/set-held-out.jsonl'].map(async file => (await small.store.find(`store:runs/run/${file}`))!),
  );
  const set = { name: 'held-out', data: data! };
  const input = { run: 'run', spec: spec!, policy, label: 'again', set };
  return small.run(createActivities(small.deps).evaluate, input);
}

test('keeps the whole model once, and of each policy its adapter, which names the model beneath', async () => {
  const { base, final } = await driveRun(small);
  expect(await readdir(checkpoint(base.name))).toEqual(expect.arrayContaining(['config.json', 'model.safetensors']));
  const policies = (await small.store.list('store:runs/run/checkpoints')).filter(name => name !== base.name);
  expect(policies).toContain(final.name);
  for (const name of policies) {
    const files = ['adapter_config.json', 'adapter_model.safetensors', 'optimizer.safetensors', 'state.json'];
    expect((await readdir(checkpoint(name))).sort()).toEqual(files);
    expect(JSON.parse(await readFile(checkpoint(name, 'state.json'), 'utf8'))).toMatchObject({ name, base });
  }
});

test('done twice, and on a new machine, it gives the same', async () => {
  const first = await driveRun(small);
  small.engine.forget();
  expect(await driveRun(small)).toEqual(first);
});

test('a policy whose snapshot is gone is rebuilt from the model and the log, to the same bits', async () => {
  const { base, final } = await driveRun(small);
  for (const name of await readdir(checkpoint('.')))
    if (name !== base.name) await rm(checkpoint(name), { recursive: true });
  small.engine.forget();
  await evaluate({ ...final, uri: 'store:runs/run/phase-2/1/steps/3/update.json' });
  expect(await small.engine.call('fingerprint', {})).toEqual({ sha256: final.sha256 });
});

test('a damaged model beneath is refused, the file named', async () => {
  const { base, final } = await driveRun(small);
  await writeFile(checkpoint(base.name, 'model.safetensors'), 'x');
  small.engine.forget();
  const failure: unknown = await evaluate(final).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(ApplicationFailure);
  expect(failure).toMatchObject({ type: 'CorruptArtifactError', nonRetryable: true });
  expect((failure as Error).message).toContain(`${base.name}/model.safetensors`);
});

test("the adapter's settings are part of every policy's name", async () => {
  const names = await Promise.all(
    [{}, null, { rank: 4 }].map(async lora => {
      const other = await withLora(lora);
      const { base, final } = await driveRun(other);
      await other.remove();
      return [base.name, final.name];
    }),
  );
  expect(new Set(names.flat()).size).toBe(6);
});

test.each<[object, RegExp]>([
  [{ targetModules: ['nowhere'] }, /lora\.targetModules: LoRA target 'nowhere' names no linear layer/],
  [{ targetModules: '.*_proj' }, /lora\.targetModules: expected a list of names of linear layers, or "all-linear"/],
  [{ rank: 0 }, /lora\.rank: expected more than 0, found 0/],
  [{ dropout: 0.1 }, /lora\.dropout: unknown field/],
])('%j is refused before anything is written', async (lora, message) => {
  const refused = await withLora(lora);
  const { prepareRun } = createActivities(refused.deps);
  await expect(refused.run(prepareRun, { run: 'run', input: refused.spec })).rejects.toMatchObject({
    type: 'InvalidSpec',
    message: expect.stringMatching(message),
  });
  expect(await refused.store.list('store:runs/run')).toEqual([]);
  await refused.remove();
});

test('a run that was begun before the field was there goes on', async () => {
  const { prepareRun } = createActivities(small.deps);
  Object.assign(small.spec, { lora: null });
  await small.run(prepareRun, { run: 'run', input: small.spec });
  const path = join(small.store.root, 'runs/run/spec.json');
  const { lora, ...before } = JSON.parse(await readFile(path, 'utf8'));
  expect(lora).toBeNull();
  await writeFile(path, JSON.stringify(before));
  await expect(small.run(prepareRun, { run: 'run', input: small.spec })).resolves.toMatchObject({
    counts: { train: 40 },
  });
});
