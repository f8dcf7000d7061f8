import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ChatMessage, loadTokenizer } from '../../../../activities/engine/text/tokenizer.js';

const GOLDEN = join(__dirname, '../../../fixtures/golden');

interface GoldenTokenizer {
  texts: { text: string; ids: number[]; decoded: string; decodedWithoutSpecial: string }[];
  chats?: { messages: ChatMessage[]; addGenerationPrompt: boolean; ids: number[] }[];
}

async function golden(name: string): Promise<GoldenTokenizer> {
  const all = JSON.parse(await readFile(join(GOLDEN, 'tokenizers.json'), 'utf8'));
  return all.tokenizers[name];
}

describe.each(['llama', 'qwen2', 'qwen3', 'metaspace'])('%s: as transformers has it', name => {
  test('texts to ids', async () => {
    const tokenizer = await loadTokenizer(join(GOLDEN, name));
    const { texts } = await golden(name);
    expect(texts.length).toBeGreaterThan(10);
    for (const { text, ids } of texts) expect({ text, ids: tokenizer.encode(text) }).toEqual({ text, ids });
  });

  test('ids to text, with and without special tokens', async () => {
    const tokenizer = await loadTokenizer(join(GOLDEN, name));
    for (const { ids, decoded, decodedWithoutSpecial } of (await golden(name)).texts) {
      expect(tokenizer.decode(ids)).toBe(expectedText(name, decoded));
      expect(tokenizer.decode(ids, { skipSpecial: true })).toBe(expectedText(name, decodedWithoutSpecial));
    }
  });

  test('chats through the template', async () => {
    const tokenizer = await loadTokenizer(join(GOLDEN, name));
    const { chats = [] } = await golden(name);
    expect(tokenizer.hasChatTemplate).toBe(chats.length > 0);
    for (const { messages, addGenerationPrompt, ids } of chats) {
      expect(tokenizer.renderChat(messages, { addGenerationPrompt })).toEqual(ids);
    }
  });
});

/** The library loses one character: U+FEFF, where a tokenizer spells it in bytes as a last resort. Its ids are right. */
function expectedText(name: string, text: string): string {
  return name === 'metaspace' ? text.replaceAll('\ufeff', '') : text;
}

describe('where a response stops', () => {
  test.each([
    ['llama', [1]],
    // config.json's end is <|im_end|> (1), tokenizer_config.json's is <|endoftext|> (0).
    ['qwen2', [0, 1]],
    ['qwen3', [1]],
    ['metaspace', [2]],
  ])('%s', async (name, ids) => {
    expect((await loadTokenizer(join(GOLDEN, name))).stopIds).toEqual(ids);
  });

  test('the end of turn is found in the chat template when no file names it', async () => {
    await inCopyOf('qwen2', async directory => {
      await rm(join(directory, 'config.json'));
      await rm(join(directory, 'generation_config.json'));
      expect((await loadTokenizer(directory)).stopIds).toEqual([0, 1]);
    });
  });
});

test('an id beyond the vocabulary stands for no text', async () => {
  const tokenizer = await loadTokenizer(join(GOLDEN, 'qwen2'));
  expect(tokenizer.decode([277, 100_000])).toBe(tokenizer.decode([277]));
  expect(tokenizer.decode([100_000])).toBe('');
});

describe('refusals', () => {
  test('messages without a template', async () => {
    const tokenizer = await loadTokenizer(join(GOLDEN, 'metaspace'));
    expect(() => tokenizer.renderChat([{ role: 'user', content: 'hello' }])).toThrow(/metaspace: has no chat template/);
  });

  test('a template that raises an exception', async () => {
    await inCopyOf('qwen2', async directory => {
      const template = "{% if messages[0].role == 'tool' %}{{ raise_exception('no tools here') }}{% endif %}hello";
      await writeFile(join(directory, 'chat_template.jinja'), template);
      const tokenizer = await loadTokenizer(directory);
      expect(() => tokenizer.renderChat([{ role: 'tool', content: '' }])).toThrow(
        /refuses the messages: .*no tools here/,
      );
    });
  });

  test.each([
    ['no tokenizer', 'tokenizer.json', null, /^no tokenizer\.json in .*; expected a Hugging Face model folder/],
    ['not JSON', 'tokenizer.json', '{"model": ', /tokenizer\.json: cannot be read: /],
    ['no model', 'tokenizer.json', '{}', /tokenizer\.json: model: /],
    [
      'an unknown kind of model',
      'tokenizer.json',
      modelOfUnknownKind(),
      /tokenizer\.json: model\.type 'Oracle' is not supported; supported: BPE, Unigram, WordPiece/,
    ],
    [
      'a template that does not parse',
      'chat_template.jinja',
      '{% for %}',
      /chat_template\.jinja: the chat template cannot be parsed/,
    ],
  ])('%s', async (_, file, content, message) => {
    await inCopyOf('qwen2', async directory => {
      if (content === null) await rm(join(directory, file));
      else await writeFile(join(directory, file), content);
      await expect(loadTokenizer(directory)).rejects.toThrow(message);
    });
  });
});

function modelOfUnknownKind(): string {
  const parts = { normalizer: null, pre_tokenizer: null, post_processor: null, decoder: null, added_tokens: [] };
  return JSON.stringify({ ...parts, model: { type: 'Oracle', vocab: {} } });
}

async function inCopyOf(name: string, work: (directory: string) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'longhaul-tokenizer-'));
  try {
    await cp(join(GOLDEN, name), directory, { recursive: true });
    await work(directory);
  } finally {
    await rm(directory, { recursive: true });
  }
}
