/** Tokenizers as the libraries save them (test/fixtures/golden/golden_folders.py): ids are the file's, and what differs is said. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadTokenizer } from '../../../../activities/engine/text/index';
import { goldenFolder, goldenFolders, type TokenizerCase } from '../../../support/golden';

const { tokenizers } = goldenFolders();
const open = (name: string) => loadTokenizer(goldenFolder(join('folders', 'tokenizers', name)));

/** Where the steps differ and yet every text here has the same ids. */
const DIFFERS_ELSEWHERE = ['gpt2-digits'];

const remarked = ({ name, same }: TokenizerCase) => !same || DIFFERS_ELSEWHERE.includes(name);

describe.each(tokenizers)('$name', golden => {
  const { name, texts, chat } = golden;

  test('texts to ids', async () => {
    const tokenizer = await open(name);
    expect(texts.map(({ text }) => ({ text, ids: tokenizer.encode(text) }))).toEqual(texts);
  });

  test('a chat through the template', async () => {
    const tokenizer = await open(name);
    expect(tokenizer.hasChatTemplate).toBe(chat !== undefined);
    if (chat) expect(tokenizer.renderChat([{ role: 'user', content: 'a foo b' }])).toEqual(chat);
  });

  test('where AutoTokenizer has other ids, a remark says so', async () => {
    const { remark } = await open(name);
    if (!remarked(golden)) expect(remark).toBeNull();
    else expect(remark).toMatch(/tokenizer\.json has another .* than \w+Tokenizer of transformers 5 puts in its place/);
  });
});

test('docs/models.md has the table of tokenizers', () => {
  const page = readFileSync(join(__dirname, '../../../../docs/models.md'), 'utf8');
  const rows = tokenizers.map(
    golden =>
      `| ${golden.what} | [${golden.name}](../test/fixtures/golden/folders/tokenizers/${golden.name}) | ${remarked(golden) ? 'read, with a remark' : 'read'} |`,
  );
  expect(page.split('\n')).toEqual(expect.arrayContaining(rows));
});
