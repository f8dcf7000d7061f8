/** The small JSON files of a model folder, from somebody hostile: refused with the file's name, before memory is taken for what they claim. */
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readAdapter } from '../../../../activities/engine/folders/adapter-folder.js';
import { readConfig, readModelFolder } from '../../../../activities/engine/folders/model-folder.js';
import { EngineRequestError } from '../../../../activities/engine/protocol/index.js';
import { type RandomStream, randomStream } from '../../../../activities/engine/random.js';
import { goldenAdapters, goldenFolder } from '../../../support/golden.js';

const ADAPTER = goldenAdapters()[0]!;
/** Deeper than a message shows. */
const DEEP = `${'['.repeat(60)}${']'.repeat(60)}`;

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'longhaul-hostile-'));
  await cp(goldenFolder('llama'), join(folder, 'llama'), { recursive: true });
  await cp(goldenFolder('qwen2'), join(folder, 'qwen2'), { recursive: true });
  await cp(goldenFolder(join('adapters', ADAPTER.name)), join(folder, 'adapter'), { recursive: true });
});
afterEach(() => rm(folder, { recursive: true }));

interface Kind {
  file: string;
  read(): Promise<unknown>;
}
const KINDS: Record<string, Kind> = {
  'config.json': { file: 'qwen2/config.json', read: () => readModelFolder(join(folder, 'qwen2')) },
  'model.safetensors.index.json': {
    file: 'llama/model.safetensors.index.json',
    read: () => readModelFolder(join(folder, 'llama')),
  },
  'adapter_config.json': {
    file: 'adapter/adapter_config.json',
    read: async () => readAdapter(join(folder, 'adapter'), (await readConfig(goldenFolder(ADAPTER.family))).config),
  },
};

async function outcome({ read }: Kind): Promise<'refused' | 'usable'> {
  try {
    await read();
    return 'usable';
  } catch (error) {
    if (!(error instanceof EngineRequestError)) throw error;
    expect(error.message).toContain(folder);
    return 'refused';
  }
}
const textOf = (kind: Kind) => readFile(join(folder, kind.file), 'utf8');
const write = (kind: Kind, text: string) => writeFile(join(folder, kind.file), text);

const VALUES = [
  'null',
  '-1',
  '0',
  '1.5',
  '1e9',
  '2147483648',
  '1e308',
  '1e999',
  '""',
  '"../../x"',
  '[]',
  '{}',
  'true',
  '{"toString": 1}',
];

/** One value of the text in another's place, at a seeded place. */
function damaged(text: string, random: RandomStream): string {
  const values = [...text.matchAll(/(?<=": )(?:"[^"]*"|[-\w.]+)/g)];
  const { 0: value, index } = values[random.below(values.length)]!;
  const other = VALUES[random.below(VALUES.length)]!;
  return text.slice(0, index) + other + text.slice(index! + value.length);
}

describe.each(Object.entries(KINDS))('%s', (_, kind) => {
  test('as it should be is usable', async () => {
    expect(await outcome(kind)).toBe('usable');
  });

  test('each of 300 with another value somewhere is refused by name, or usable', async () => {
    const sound = await textOf(kind);
    let refused = 0;
    for (let k = 0; k < 300; k++) {
      const text = damaged(sound, randomStream('hostile config', k));
      await write(kind, text);
      const end = await outcome(kind).catch(error => {
        throw new Error(`damage ${k}: ${(error as Error).stack}`);
      });
      if (end === 'refused') refused++;
    }
    expect(refused).toBeGreaterThan(100);
  });

  test('cut short anywhere it is refused', async () => {
    const sound = (await textOf(kind)).trimEnd();
    for (let length = 0; length < sound.length; length += 37) {
      await write(kind, sound.slice(0, length));
      expect(await outcome(kind)).toBe('refused');
    }
  });

  test.each([
    ['not UTF-8', Buffer.from([0xff, 0xfe, 0x7b])],
    ['no object', '[]'],
    ['NaN', '{"hidden_size": NaN, "r": NaN}'],
  ])('%s is refused', async (_what, content) => {
    await writeFile(join(folder, kind.file), content);
    expect(await outcome(kind)).toBe('refused');
  });
});

test.each([
  ['num_hidden_layers', 1e9, /num_hidden_layers: /],
  ['num_hidden_layers', 9999, /model\.layers\.\d+\..*' is missing/],
  ['hidden_size', 2 ** 40, /hidden_size: /],
  ['hidden_size', 64.5, /hidden_size: /],
  ['hidden_size', -64, /hidden_size: /],
  ['vocab_size', 2_000_000_000, /embed_tokens\.weight' has shape .*expected \[2000000000,/],
  ['intermediate_size', 2_000_000_000, /has shape .*2000000000/],
  ['num_attention_heads', 3, /num_attention_heads 3 is not a multiple|head size/],
  ['num_key_value_heads', 7, /is not a multiple of num_key_value_heads 7/],
  ['max_position_embeddings', 1e15, /max_position_embeddings: /],
])('a config whose %s is %d is refused', async (field, value, message) => {
  const kind = KINDS['config.json']!;
  await write(kind, JSON.stringify({ ...JSON.parse(await textOf(kind)), [field]: value }));
  await expect(kind.read()).rejects.toThrow(message);
});

test.each(['../../x.safetensors', '/etc/x.safetensors', '..', 'a/b.safetensors', 'x\0.safetensors', 'config.json', ''])(
  'an index that names the file %j is refused',
  async shard => {
    const kind = KINDS['model.safetensors.index.json']!;
    const index = JSON.parse(await textOf(kind)) as { weight_map: Record<string, string> };
    const [first] = Object.keys(index.weight_map);
    index.weight_map[first!] = shard;
    await write(kind, JSON.stringify(index));
    await expect(kind.read()).rejects.toThrow(EngineRequestError);
    expect(await outcome(kind)).toBe('refused');
  },
);

test.each([
  ['quantization_config', 'config.json'],
  ['loftq_config', 'adapter_config.json'],
])('%s nested deeply is refused by name', async (field, name) => {
  const kind = KINDS[name]!;
  await write(
    kind,
    (await textOf(kind)).replace('{', `{"${field}": ${DEEP},`).replace(new RegExp(`,\\s*"${field}": \\{\\}`), ''),
  );
  await expect(kind.read()).rejects.toThrow('nested too deeply to be shown');
  expect(await outcome(kind)).toBe('refused');
});
