/** PEFT's adapter folders in and out; the golden ones were written by PEFT (test/fixtures/golden/golden_adapters.py). */
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeSafetensors } from '../../../../activities/engine/files/safetensors';
import { hasAdapter, readAdapter, writeAdapter } from '../../../../activities/engine/folders/adapter-folder';
import { readConfig, readModelFolder } from '../../../../activities/engine/folders/model-folder';
import { ADAPTER_CONFIG_FILE } from '../../../../activities/engine/folders/peft-config';
import { initialAdapter } from '../../../../activities/engine/model/lora';
import { LoraMerge } from '../../../../activities/engine/model/lora-merge';
import { RotaryTable } from '../../../../activities/engine/model/rotary';
import { Trainer } from '../../../../activities/engine/training/trainer';
import { goldenAdapters, goldenFolder } from '../../../support/golden';

const adapterFolder = (name: string) => join(goldenFolder('adapters'), name);
let scratch: string;
beforeEach(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'adapter-'));
});
afterEach(() => rm(scratch, { recursive: true }));

describe.each(goldenAdapters())('$name, written by PEFT', ({ name, family, sequence }) => {
  test('gives the log-probabilities that PEFT gives, within 1e-4', async () => {
    const folder = await readModelFolder(goldenFolder(family));
    const adapter = await readAdapter(adapterFolder(name), folder.config);
    const merger = await LoraMerge.create({ threads: 2 });
    const merged = await merger.merge(folder.tensors, adapter);
    const trainer = new Trainer(folder.config, new RotaryTable(folder.config), { threads: 2 });
    const groups = [{ promptIds: [sequence.ids[0]!], responses: [sequence.ids.slice(1)] }];
    const difference = async (tensors: typeof merged) => {
      const options = { temperature: 1, microBatchTokens: 4096, checkpoint: async () => {} };
      const { logprobs } = await trainer.score(tensors, groups, options);
      return Math.max(...logprobs.map((value, t) => Math.abs(value - sequence.logprobs[t + 1]!)));
    };
    expect(await difference(merged)).toBeLessThan(1e-4);
    expect(await difference(folder.tensors)).toBeGreaterThan(0.1);
    await trainer.release();
    await merger.release();
  });

  test('written again it is the same adapter, to the byte', async () => {
    const { config } = await readConfig(goldenFolder(family));
    const adapter = await readAdapter(adapterFolder(name), config);
    const [first, second] = [join(scratch, 'first'), join(scratch, 'second')];
    const fingerprint = await writeAdapter(first, adapter);
    const again = await readAdapter(first, config);
    expect(again).toEqual(adapter);
    expect(await writeAdapter(second, again)).toEqual(fingerprint);
    const text = (folder: string) => readFile(join(folder, ADAPTER_CONFIG_FILE), 'utf8');
    expect(await text(second)).toBe(await text(first));

    const golden = JSON.parse(await text(adapterFolder(name)));
    const { inference_mode, ...own } = JSON.parse(await text(first));
    expect(inference_mode).toBe(true);
    expect(golden).toMatchObject(own);
  });
});

test('a fresh adapter of all linear layers spells them out', async () => {
  const { config } = await readConfig(goldenFolder('llama'));
  const settings = { rank: 2, alpha: 4, targetModules: 'all-linear', rslora: false } as const;
  const adapter = initialAdapter(config, { settings, seed: 1, baseModel: 'llama' });
  const directory = join(scratch, 'fresh');
  await writeAdapter(directory, adapter);
  const read = await readAdapter(directory, config);
  expect(read.settings.targetModules).toEqual([
    'down_proj',
    'gate_proj',
    'k_proj',
    'o_proj',
    'q_proj',
    'up_proj',
    'v_proj',
  ]);
  expect(read.tensors).toEqual(adapter.tensors);
  expect(await hasAdapter(directory)).toBe(true);
  expect(await hasAdapter(goldenFolder('llama'))).toBe(false);
  await expect(writeAdapter(directory, adapter)).rejects.toThrow(/already holds .*; expected a new or empty folder/);
});

describe('refused by name', () => {
  const changed = async (changes: object): Promise<string> => {
    await cp(adapterFolder('plain'), scratch, { recursive: true });
    const path = join(scratch, ADAPTER_CONFIG_FILE);
    await writeFile(path, JSON.stringify({ ...JSON.parse(await readFile(path, 'utf8')), ...changes }));
    return scratch;
  };
  const read = async (directory: string) => readAdapter(directory, (await readConfig(goldenFolder('llama'))).config);

  test.each<[object, RegExp]>([
    [{ peft_type: 'IA3' }, /peft_type "IA3" is not supported; supported: "LORA"/],
    [{ task_type: 'SEQ_CLS' }, /task_type "SEQ_CLS" is not supported; supported: "CAUSAL_LM", null/],
    [{ use_dora: true }, /use_dora true is not supported; supported: leaving it unset/],
    [{ bias: 'lora_only' }, /bias "lora_only" is not supported; supported: "none"/],
    [{ lora_bias: true }, /lora_bias true is not supported/],
    [{ modules_to_save: ['lm_head'] }, /modules_to_save \["lm_head"\] is not supported/],
    [{ trainable_token_indices: [1] }, /trainable_token_indices \[1\] is not supported/],
    [{ init_lora_weights: 'pissa' }, /init_lora_weights "pissa" is not supported/],
    [{ target_modules: ['q_proj', 'lm_head'] }, /target_modules: LoRA target 'lm_head' is not supported/],
    [{ something_of_tomorrow: 'on' }, /something_of_tomorrow "on" is not supported/],
  ])('unsupported %j', async (changes, message) => {
    await expect(read(await changed(changes))).rejects.toMatchObject({
      code: 'unsupported',
      message: expect.stringMatching(message),
    });
  });

  test.each<[object, RegExp]>([
    [{ r: 0, lora_alpha: '8' }, /r: .*>0.*; lora_alpha: .*number/],
    [{ r: 8 }, /lora_A\.weight' has shape \[4,32\]; expected shape \[8,32\] for this model/],
    [{ lora_dropout: 1 }, /lora_dropout: .*<1/],
    [{ target_modules: [] }, /target_modules: expected one name or more/],
    [{ target_modules: 7 }, /target_modules: expected a list of names or one regular expression/],
    [
      { target_modules: ['qkv'] },
      /target_modules: \["qkv"\] names no linear layer of the model; expected names that end/,
    ],
    [{ target_modules: 'proj' }, /target_modules: "proj" names no linear layer of the model/],
    [{ target_modules: '(q_proj' }, /target_modules: the expression "\(q_proj" cannot be used: .*group/],
    [{ target_modules: '.*)|(.*' }, /target_modules: the expression .* cannot be used/],
    [{ target_modules: '.*(q|k)_proj' }, /tensor '.*' belongs to no layer that adapter_config\.json targets/],
    [{ exclude_modules: ['o_proj'] }, /tensor '.*o_proj.*' belongs to no layer that adapter_config\.json targets/],
    [{ exclude_modules: '.*' }, /names no linear layer of the model with exclude_modules "\.\*"/],
    [{ layers_to_transform: [0] }, /tensor '.*layers\.1\..*' belongs to no layer that adapter_config\.json targets/],
    [{ layers_to_transform: [7] }, /names no linear layer of the model with layers_to_transform \[7\]/],
    [{ rank_pattern: { q_proj: 8 } }, /q_proj\.lora_A\.weight' has shape \[4,32\]; expected shape \[8,32\]/],
    [{ rank_pattern: { q_proj: 0 } }, /rank_pattern\.q_proj: .*>0/],
    [{ alpha_pattern: { '[': 8 } }, /alpha_pattern: the expression .* cannot be used/],
    [{ target_modules: ['q_proj'] }, /tensor '.*down_proj.*' belongs to no layer that adapter_config\.json targets/],
    [{ peft_type: undefined }, /peft_type is missing; expected LORA/],
  ])('wrong %j', async (changes, message) => {
    await expect(read(await changed(changes))).rejects.toMatchObject({
      code: 'bad-model',
      message: expect.stringMatching(message),
    });
  });

  test('tensors that are not there', async () => {
    await changed({});
    await writeSafetensors(join(scratch, 'adapter_model.safetensors'), new Map());
    await expect(read(scratch)).rejects.toThrow(/lora_A\.weight' is missing; expected shape \[4,32\]/);
    await rm(join(scratch, 'adapter_model.safetensors'));
    await expect(read(scratch)).rejects.toThrow(
      /adapter_model\.safetensors: does not exist; expected an adapter's weights/,
    );
    await rm(join(scratch, ADAPTER_CONFIG_FILE));
    await expect(read(scratch)).rejects.toThrow(/adapter_config\.json: cannot be read/);
  });

  test("another model's adapter", async () => {
    const { config } = await readConfig(goldenFolder('qwen3'));
    await expect(readAdapter(adapterFolder('plain'), config)).rejects.toThrow(/expected shape \[64,4\] for this model/);
  });
});
