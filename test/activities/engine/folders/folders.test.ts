/**
 * Folders as transformers and PEFT save them (test/fixtures/golden/golden_folders.py): what is read computes what they
 * compute, what is not is refused by name, and docs/models.md says which is which.
 */
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readAdapter, readModelFolder, writeAdapter } from '../../../../activities/engine/folders/index';
import { LoraMerge, RotaryTable } from '../../../../activities/engine/model/index';
import { PolicyEngine } from '../../../../activities/engine/process/policy-engine';
import { DEFAULT_OPTIMIZER } from '../../../../activities/engine/protocol/index';
import { Trainer } from '../../../../activities/engine/training/index';
import { type FolderCase, goldenFolder, goldenFolders } from '../../../support/golden';

const { models, adapters } = goldenFolders();
const read = (cases: FolderCase[]) => cases.filter(({ refused }) => refused === undefined);
const refused = (cases: FolderCase[]) => cases.filter(({ refused }) => refused !== undefined);
const modelFolder = (name: string) => goldenFolder(join('folders', 'models', name));
const adapterFolder = (name: string) => goldenFolder(join('folders', 'adapters', name));
const settings = { threads: 1 };

type Folder = Awaited<ReturnType<typeof readModelFolder>>;
type Adapter = Awaited<ReturnType<typeof readAdapter>>;

/** The largest difference to the golden log-probabilities, with the adapter beside the weights or laid into them. */
async function difference({ ids, logprobs }: FolderCase, folder: Folder, adapter: Adapter | null, merged = false) {
  const merger = await LoraMerge.create(settings);
  const trainer = new Trainer(folder.config, new RotaryTable(folder.config), settings);
  const tensors = merged && adapter ? await merger.merge(folder.tensors, adapter) : folder.tensors;
  const groups = [{ promptIds: [ids![0]!], responses: [ids!.slice(1)] }];
  const options = { temperature: 1, microBatchTokens: 4096, adapter: merged ? null : adapter };
  const found = await trainer.score(tensors, groups, { ...options, checkpoint: async () => {} });
  await trainer.release();
  await merger.release();
  return Math.max(...found.logprobs.map((value, t) => Math.abs(value - logprobs![t + 1]!)));
}

test.each(read(models))('$name, saved by transformers', async golden => {
  expect(await difference(golden, await readModelFolder(modelFolder(golden.name)), null)).toBeLessThan(1e-4);
});

test.each(refused(models))('$name is refused', async ({ name, refused }) => {
  await expect(readModelFolder(modelFolder(name))).rejects.toMatchObject({
    code: 'unsupported',
    message: expect.stringContaining(refused!),
  });
});

describe.each(read(adapters))('$name, saved by PEFT', golden => {
  const open = async () => {
    const folder = await readModelFolder(modelFolder(golden.base!));
    return { folder, adapter: await readAdapter(adapterFolder(golden.name), folder.config) };
  };

  test('beside the weights and laid into them', async () => {
    const { folder, adapter } = await open();
    expect(await difference(golden, folder, adapter)).toBeLessThan(1e-4);
    expect(await difference(golden, folder, adapter, true)).toBeLessThan(1e-4);
    expect(await difference(golden, folder, null)).toBeGreaterThan(1e-3);
  });

  test.each([
    ['whole', {}],
    ['layer by layer', { memory: 1 }],
  ])('is trained on, %s, or its dropout is in the way', async (_, memory) => {
    const { operations } = new PolicyEngine({ ...settings, ...memory });
    const context = { checkpoint: async () => {} };
    const adapter = { directory: adapterFolder(golden.name) };
    await operations.load({ directory: modelFolder(golden.base!), adapter, tag: 'loaded' }, context);
    const request = { optimizer: { ...DEFAULT_OPTIMIZER, learningRate: 1e-3 }, microBatchTokens: 4096, tag: 'stepped' };
    const { sft } = golden;
    if (!sft) {
      const examples = [{ promptIds: [3], responseIds: [4] }];
      await expect(operations.sft({ ...request, examples }, context)).rejects.toThrow(
        'the adapter was trained with lora_dropout 0.1, and training without dropout is another recipe; set lora_dropout to 0',
      );
      return;
    }
    const { loss, gradNorm } = await operations.sft({ ...request, examples: sft.examples }, context);
    expect(Math.abs(loss - sft.loss)).toBeLessThan(1e-4);
    expect(Math.abs(gradNorm / sft.gradNorm - 1)).toBeLessThan(1e-3);
  });

  test('written again it is the same adapter', async () => {
    const { folder, adapter } = await open();
    const scratch = await mkdtemp(join(tmpdir(), 'folders-'));
    await writeAdapter(join(scratch, 'again'), adapter);
    expect(await readAdapter(join(scratch, 'again'), folder.config)).toEqual(adapter);
    await rm(scratch, { recursive: true });
  });
});

test.each(refused(adapters))('$name is refused', async ({ name, base, refused }) => {
  const { config } = await readModelFolder(modelFolder(base!));
  await expect(readAdapter(adapterFolder(name), config)).rejects.toMatchObject({
    code: 'unsupported',
    message: expect.stringContaining(refused!),
  });
});

test.each([
  ['models', models],
  ['adapters', adapters],
] as const)('docs/models.md has the table of %s', (kind, cases) => {
  const page = readFileSync(join(__dirname, '../../../../docs/models.md'), 'utf8');
  expect(page.split('\n')).toEqual(expect.arrayContaining(cases.map(golden => row(kind, golden))));
});

function row(kind: string, { name, what, refused }: FolderCase): string {
  const verdict = refused === undefined ? 'read' : `refused: ${'`'}${refused}${'`'}`;
  return `| ${what} | [${name}](../test/fixtures/golden/folders/${kind}/${name}) | ${verdict} |`;
}
