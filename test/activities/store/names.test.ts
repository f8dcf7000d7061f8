/** Names come from specs, schedules and command lines: whatever they are, nothing outside the store's folder is touched. */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative, resolve, sep } from 'node:path';
import { promisify } from 'node:util';
import { type RandomStream, randomStream } from '../../../activities/engine/random.js';
import { evaluatedModelSchema, labelText, validateEvaluation } from '../../../activities/spec/evaluation-spec.js';
import { runNameSchema } from '../../../activities/spec/run-spec.js';
import {
  attemptUri,
  checkpointUri,
  dataUri,
  evaluatedUri,
  evaluationUri,
  FolderStore,
  poolUri,
  specUri,
  stepUri,
  storeSegments,
  storeUri,
} from '../../../activities/store/index.js';
import { LONGHAUL_COMMAND } from '../../../infra/checkout.js';

let folder: string;
let store: FolderStore;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'longhaul-names-'));
  store = new FolderStore(join(folder, 'store'));
});
afterEach(() => rm(folder, { recursive: true }));

/** Parts of names that have led somewhere else in some program. */
const PARTS = [
  ...['..', '.', '/', '\\', '~', '%2e%2e', '%2f', '%00', '\0', '\n', ' ', '$HOME', 'C:', ':', 'store:', '*'],
  // Look-alikes of the full stop and the slash, and what becomes one when normalised.
  ...['\u2024', '\uff0e', '\u2025', '\u2215', '\uff0f', '\u29f8', '\u202e', '\u0000', '\ud800', 'e\u0301', 'İ'],
  ...['a', 'B', '0', '-', '_', '@', '+', 'run', '.work', '.sums', 'a.', 'x'.repeat(120)],
];
const nameOf = (random: RandomStream): string =>
  Array.from({ length: 1 + random.below(4) }, () => PARTS[random.below(PARTS.length)]!).join('');

const below = (uri: string): boolean => {
  const path = relative(store.root, resolve(store.root, ...storeSegments(uri)));
  return path !== '' && path.split(sep).every(part => !part.startsWith('.')) && !path.includes('\0');
};

const stage = (name: string) => ({ run: name, stage: name, attempt: 1 });
const URIS: Record<string, (name: string) => string> = {
  storeUri: name => storeUri('runs', name),
  specUri,
  dataUri: name => dataUri('r', name),
  checkpointUri: name => checkpointUri(name, name),
  evaluationUri: name => evaluationUri('r', name, '01234567', name),
  evaluatedUri: name => evaluatedUri(name, name, name),
  poolUri: name => poolUri(stage(name)),
  attemptUri: name => attemptUri(stage('r'), name),
  stepUri: name => stepUri(stage(name), 1, name),
};

test.each(Object.entries(URIS))('%s makes a place below the root of any name, or refuses it', (_, uriOf) => {
  const seen = { made: 0, refused: 0 };
  for (let k = 0; k < 3000; k++) {
    const name = nameOf(randomStream('names', k));
    let uri: string;
    try {
      uri = uriOf(name);
    } catch (error) {
      expect(error).toBeInstanceOf(RangeError);
      seen.refused++;
      continue;
    }
    expect({ name, below: below(uri) }).toEqual({ name, below: true });
    seen.made++;
  }
  expect(seen.made).toBeGreaterThan(100);
  expect(seen.refused).toBeGreaterThan(1000);
});

test('whatever a spec may be called by is a place in the store', () => {
  let taken = 0;
  for (let k = 0; k < 3000; k++) {
    const name = nameOf(randomStream('spec names', k));
    for (const label of [...(runNameSchema.safeParse(name).success ? [name] : []), labelText(name)]) {
      expect(runNameSchema.safeParse(label).success).toBe(true);
      expect(below(evaluatedUri(label, label, `${label}.json`))).toBe(true);
      taken++;
    }
  }
  expect(taken).toBeGreaterThan(3100);
});

test.each(['../x', 'a/b', '..', '.hidden', 'a\0', '%2e%2e/x', '．．', 'a\n'])('%j is no name in a spec', name => {
  const benchmark = { name, source: { type: 'world', count: 1, facts: 3 } };
  const spec = { model: { run: name, policy: name }, label: name, benchmarks: [benchmark] };
  const said = (() => {
    try {
      validateEvaluation(spec);
      return '';
    } catch (error) {
      return (error as Error).message;
    }
  })();
  for (const path of ['model.run', 'model.policy', 'label', 'benchmarks[0].name']) expect(said).toContain(`${path}: `);
  expect(evaluatedModelSchema.safeParse({ run: name }).success).toBe(false);
});

test('a folder with a link in it is no artifact', async () => {
  await writeFile(join(folder, 'outside'), 'secret');
  await store.workFolder(async work => {
    await symlink(join(folder, 'outside'), join(work, 'link'));
    await expect(store.publishFolder('store:runs/r/checkpoints/p', work)).rejects.toThrow(
      /link is neither a file nor a folder/,
    );
  });
  expect(await store.has('store:runs/r/checkpoints/p')).toBe(false);
});

test.each([
  ['export', ['export', '../../x', 'out']],
  ['verify', ['verify', '../x']],
  ['lineage', ['lineage', 'abcd1234', '--run', 'a%2f..']],
])('%s refuses a name that is none, in a line', async (_, args) => {
  await mkdir(store.root);
  const command = [LONGHAUL_COMMAND, ...args, '--store', store.root];
  const failure = await promisify(execFile)(process.execPath, command, { cwd: folder }).catch(error => error);
  expect(failure.code).toBe(1);
  expect(failure.stderr).toMatch(/^"[^"]+" cannot be part of a store uri: expected letters, digits.*\n$/);
  expect(await readdir(folder)).toEqual(['store']);
});
