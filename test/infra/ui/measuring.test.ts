/** Tokens measured on the page's behalf: by the command, one step at a time, and never by other words than its own. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Measuring } from '../../../infra/ui/measuring.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'longhaul-measuring-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function measuring(program: string): Promise<Measuring> {
  const command = join(folder, 'command.cjs');
  await writeFile(command, program);
  return new Measuring('/a store', command);
}

const STEP = { stage: 'phase-2', attempt: 1, step: 7 };

test('what the command says is the answer', async () => {
  const measures = await measuring('console.log(process.argv.slice(2).join("|"))');
  expect(await measures.measure('tiny', STEP)).toBe(
    'tokens|tiny|--stage|phase-2|--attempt|1|--step|7|--store|/a store',
  );
});

test('what it complains of is the error, and afterwards it can be asked again', async () => {
  const measures = await measuring('console.error("loading\\nthe model is gone"); process.exit(1)');
  for (let k = 0; k < 2; k++) await expect(measures.measure('tiny', STEP)).rejects.toThrow(/^the model is gone$/);
});

test('one step at a time', async () => {
  const measures = await measuring('setTimeout(() => console.log("done"), 300)');
  const first = measures.measure('tiny', STEP);
  await expect(measures.measure('tiny', { ...STEP, step: 8 })).rejects.toThrow('another step are being measured');
  expect(await first).toBe('done');
});

test.each([
  ['--help', STEP],
  ['tiny', { ...STEP, stage: '--provider' }],
  ['tiny', { ...STEP, attempt: 0 }],
  ['tiny', { ...STEP, more: 1 }],
  ['tiny', null],
])('%j with %j is refused', async (run, input) => {
  const measures = await measuring('console.log("it was called")');
  await expect(measures.measure(run, input)).rejects.toMatchObject({ name: 'UserError' });
});
