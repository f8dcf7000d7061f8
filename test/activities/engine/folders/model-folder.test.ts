import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  fingerprintSafetensors,
  SafetensorsFile,
  type Tensors,
  writeSafetensors,
} from '../../../../activities/engine/files/safetensors.js';
import { readModelFolder, writeModelFolder } from '../../../../activities/engine/folders/model-folder.js';
import { hasOptimizer, readOptimizer, writeOptimizer } from '../../../../activities/engine/folders/optimizer-state.js';
import { expectedTensors } from '../../../../activities/engine/model/config.js';

const GOLDEN = join(__dirname, '../../../fixtures/golden');
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'longhaul-folder-'));
});
afterEach(() => rm(folder, { recursive: true }));

/** qwen2's folder (tied head, one file), its tensors changed. */
async function changed(change: (tensors: Tensors) => void): Promise<string> {
  const directory = join(folder, 'changed');
  await cp(join(GOLDEN, 'qwen2'), directory, { recursive: true });
  const { tensors } = await readModelFolder(directory);
  change(tensors);
  await writeSafetensors(join(directory, 'model.safetensors'), tensors);
  return directory;
}

describe.each(['llama', 'qwen2', 'qwen3'])('%s', family => {
  test('is read, written and read again unchanged, in the order of expectedTensors', async () => {
    const first = await readModelFolder(join(GOLDEN, family));
    expect([...first.tensors.keys()]).toEqual([...expectedTensors(first.config).keys()]);
    const directory = join(folder, 'out');
    const saved = await writeModelFolder(directory, first);
    expect(saved).toEqual(fingerprintSafetensors(first.tensors));
    const second = await readModelFolder(directory);
    expect(second.config).toEqual(first.config);
    for (const [name, { shape, data }] of first.tensors) {
      expect(second.tensors.get(name)!.shape).toEqual(shape);
      expect(Buffer.compare(Buffer.from(second.tensors.get(name)!.data.buffer), Buffer.from(data.buffer))).toBe(0);
    }
  });

  test('the written folder is whole: one file of 32-bit weights that the config tells of, and the tokenizer', async () => {
    const model = await readModelFolder(join(GOLDEN, family));
    const directory = join(folder, 'out');
    await writeModelFolder(directory, model);
    const template = family === 'qwen2' ? ['chat_template.jinja'] : [];
    const files = [
      'config.json',
      'generation_config.json',
      'model.safetensors',
      'tokenizer.json',
      'tokenizer_config.json',
    ];
    expect((await readdir(directory)).sort()).toEqual([...files, ...template].sort());
    const before = JSON.parse(model.configText);
    const dtype = family === 'llama' ? { torch_dtype: 'float32' } : { dtype: 'float32' };
    expect(JSON.parse(await readFile(join(directory, 'config.json'), 'utf8'))).toEqual({ ...before, ...dtype });
    for (const name of ['tokenizer.json', 'generation_config.json']) {
      expect(await readFile(join(directory, name))).toEqual(await readFile(join(GOLDEN, family, name)));
    }
  });
});

test('numbers in config.json keep their spelling: transformers tells 10000.0 from 10000', async () => {
  const model = await readModelFolder(join(GOLDEN, 'llama'));
  await writeModelFolder(join(folder, 'out'), model);
  expect(await readFile(join(folder, 'out', 'config.json'), 'utf8')).toContain('"rope_theta": 10000.0,');
});

test('progress counts the tensors', async () => {
  const calls: [number, number][] = [];
  const { tensors } = await readModelFolder(join(GOLDEN, 'qwen3'), (done, total) => calls.push([done, total]));
  expect(calls.at(0)).toEqual([1, tensors.size]);
  expect(calls.at(-1)).toEqual([tensors.size, tensors.size]);
});

describe('a folder is refused, naming the tensor', () => {
  const NORM = 'model.layers.1.input_layernorm.weight';

  test('missing', async () => {
    const directory = await changed(tensors => tensors.delete(NORM));
    await expect(readModelFolder(directory)).rejects.toThrow(
      `${directory}: tensor '${NORM}' is missing; expected it with shape [32] (by config.json, a qwen2 model)`,
    );
  });

  test('mis-shaped', async () => {
    const directory = await changed(tensors => tensors.set(NORM, { shape: [4, 8], data: new Float32Array(32) }));
    await expect(readModelFolder(directory)).rejects.toThrow(`tensor '${NORM}' has shape [4,8]; expected [32]`);
  });

  test('unexpected', async () => {
    const directory = await changed(tensors => tensors.set('model.adapter', { shape: [1], data: new Float32Array(1) }));
    await expect(readModelFolder(directory)).rejects.toThrow("tensor 'model.adapter' is not part of the model");
  });

  test('a tied head that is not the embedding', async () => {
    const directory = await changed(tensors => {
      const { shape, data } = tensors.get('model.embed_tokens.weight')!;
      tensors.set('lm_head.weight', { shape, data: data.map(value => value + 1) });
    });
    await expect(readModelFolder(directory)).rejects.toThrow(
      /lm_head\.weight differs from model\.embed_tokens\.weight/,
    );
  });
});

test('a tied head stored again and rotary frequencies are let be, and not written', async () => {
  const directory = await changed(tensors => {
    tensors.set('lm_head.weight', tensors.get('model.embed_tokens.weight')!);
    tensors.set('model.layers.0.self_attn.rotary_emb.inv_freq', { shape: [4], data: new Float32Array(4) });
  });
  const { tensors, config } = await readModelFolder(directory);
  expect([...tensors.keys()]).toEqual([...expectedTensors(config).keys()]);
});

describe('a folder that is no model', () => {
  test('nothing there', async () => {
    await expect(readModelFolder(join(folder, 'none'))).rejects.toThrow(
      /none\/config\.json: cannot be read: .*ENOENT.*expected a Hugging Face model folder/,
    );
  });

  test('config.json that is not JSON', async () => {
    await writeFile(join(folder, 'config.json'), '{"model_type": ');
    await expect(readModelFolder(folder)).rejects.toThrow(/config\.json: cannot be read: /);
  });

  test('no safetensors', async () => {
    await cp(join(GOLDEN, 'qwen2', 'config.json'), join(folder, 'config.json'));
    await expect(readModelFolder(folder)).rejects.toThrow(
      /holds neither model\.safetensors nor model\.safetensors\.index\.json/,
    );
  });
});

describe('shards', () => {
  const index = 'model.safetensors.index.json';
  beforeEach(() => cp(join(GOLDEN, 'llama'), folder, { recursive: true }));

  async function editIndex(edit: (map: Record<string, string>) => void): Promise<void> {
    const json = JSON.parse(await readFile(join(folder, index), 'utf8'));
    edit(json.weight_map);
    await writeFile(join(folder, index), JSON.stringify(json));
  }

  test('a shard that is not there', async () => {
    await rm(join(folder, 'model-00002-of-00002.safetensors'));
    await expect(readModelFolder(folder)).rejects.toThrow(
      /index\.json: names model-00002-of-00002\.safetensors, which is not in the folder/,
    );
  });

  test('a tensor that is not in the shard named', async () => {
    await editIndex(map => {
      map['model.other.weight'] = 'model-00001-of-00002.safetensors';
    });
    await expect(readModelFolder(folder)).rejects.toThrow(
      /says tensor 'model\.other\.weight' is in model-00001-of-00002\.safetensors, which does not/,
    );
  });

  test('a tensor that the index leaves out', async () => {
    await editIndex(map => {
      delete map['model.norm.weight'];
    });
    await expect(readModelFolder(folder)).rejects.toThrow(
      /holds tensor 'model\.norm\.weight', which .*index\.json does not place there/,
    );
  });

  test('a file outside the folder', async () => {
    await editIndex(map => {
      map['model.norm.weight'] = '../secret.safetensors';
    });
    await expect(readModelFolder(folder)).rejects.toThrow(
      /names the file '\.\.\/secret\.safetensors'; expected .* in the same folder/,
    );
  });

  test('an index that is none', async () => {
    await writeFile(join(folder, index), '{"weights": {}}');
    await expect(readModelFolder(folder)).rejects.toThrow(/index\.json: expected \{"weight_map"/);
  });
});

test('what was read is written whole though its folder is gone, as a snapshot may be that a newer one replaced', async () => {
  const from = join(folder, 'from');
  await cp(join(GOLDEN, 'qwen2'), from, { recursive: true });
  const model = await readModelFolder(from);
  await rm(from, { recursive: true });
  await writeModelFolder(join(folder, 'out'), model);
  for (const name of ['tokenizer.json', 'tokenizer_config.json', 'chat_template.jinja', 'generation_config.json']) {
    expect(await readFile(join(folder, 'out', name))).toEqual(await readFile(join(GOLDEN, 'qwen2', name)));
  }
});

test('a folder that holds something is not written into', async () => {
  const model = await readModelFolder(join(GOLDEN, 'qwen2'));
  const directory = join(folder, 'out');
  await mkdir(directory);
  await writeFile(join(directory, 'notes.txt'), 'mine');
  await expect(writeModelFolder(directory, model)).rejects.toThrow(
    /out: already holds notes\.txt; expected a new or empty folder/,
  );
  expect(await readdir(directory)).toEqual(['notes.txt']);
});

describe("the optimiser's state", () => {
  const shapes = new Map([
    ['a', [2]],
    ['b', [1, 2]],
  ]);
  const moments = (offset: number): Tensors =>
    new Map([...shapes].map(([name, shape], i) => [name, { shape, data: Float32Array.from([offset + i, -offset]) }]));

  test('is read as written', async () => {
    expect(await hasOptimizer(folder)).toBe(false);
    await writeOptimizer(folder, { step: 12, m: moments(1), v: moments(5) });
    expect(await hasOptimizer(folder)).toBe(true);
    expect(await readOptimizer(folder, shapes)).toEqual({ step: 12, m: moments(1), v: moments(5) });
    const file = await SafetensorsFile.open(join(folder, 'optimizer.safetensors'));
    expect([...file.entries.keys()]).toEqual(['m.a', 'm.b', 'v.a', 'v.b']);
    expect(file.metadata.step).toBe('12');
    await file.close();
  });

  test.each<[string, Map<string, number[]>, RegExp]>([
    ['a moment that is missing', new Map([...shapes, ['c', [3]]]), /tensor 'm\.c' is missing; expected shape \[3\]/],
    [
      'a moment of another shape',
      new Map([...shapes, ['a', [1, 2]]]),
      /tensor 'm\.a' has shape \[2\]; expected shape \[1,2\]/,
    ],
    ['a moment of no tensor', new Map([['a', [2]]]), /tensor 'm\.b' belongs to no tensor of the model/],
  ])('%s is refused', async (_, wanted, message) => {
    await writeOptimizer(folder, { step: 12, m: moments(1), v: moments(5) });
    await expect(readOptimizer(folder, wanted)).rejects.toThrow(message);
  });

  test('no state, or one without a step count, is refused', async () => {
    await expect(readOptimizer(folder, shapes)).rejects.toThrow(/optimizer\.safetensors: does not exist/);
    await writeSafetensors(join(folder, 'optimizer.safetensors'), new Map());
    await expect(readOptimizer(folder, shapes)).rejects.toThrow(
      /metadata\.step is 'undefined'; expected a count of steps/,
    );
  });
});
