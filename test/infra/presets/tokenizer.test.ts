import { Tokenizer } from '@huggingface/tokenizers';
import { readSource, sourceSchema } from '../../../activities/datasets/sources.js';
import { FUNCTION_WORDS, PEOPLE, PERSON_VERBS, PLACE_VERBS, PLACES } from '../../../activities/datasets/vocabulary.js';
import { EOS, TOKENS, tokenizerConfigJson, tokenizerJson } from '../../../infra/presets/tiny/tokenizer.js';
import { NO_CACHE } from '../../support/no-cache.js';

const tokenizer = new Tokenizer(tokenizerJson(), tokenizerConfigJson());
const encode = (text: string): number[] => tokenizer.encode(text).ids;

test('no token twice, and the end of a response is id 0', () => {
  expect(new Set(TOKENS).size).toBe(TOKENS.length);
  expect(TOKENS[0]).toBe(EOS);
});

test('every word of the world is one token', () => {
  for (const word of [...PEOPLE, ...PLACES, ...PERSON_VERBS, ...PLACE_VERBS])
    expect([word, encode(word).length]).toEqual([word, 1]);
  for (const word of FUNCTION_WORDS.filter(w => !w.endsWith(':')))
    expect([word, encode(word).length]).toEqual([word, 1]);
  for (const word of FUNCTION_WORDS.filter(w => w.endsWith(':')))
    expect([word, TOKENS[encode(`\n${word}`).at(-1)!]]).toEqual([word, word]);
});

test('a fact is four tokens, so the number of facts is the length', async () => {
  for await (const sample of readSource(
    sourceSchema.parse({ type: 'world', seed: 1, count: 6, facts: [8, 40] }),
    NO_CACHE,
  )) {
    const facts = Number(/f(\d+)/.exec(sample.id)![1]);
    expect(encode(sample.documents[0]!.text)).toHaveLength(4 * facts);
    expect(encode(sample.trace!)).toHaveLength(4 * Number(sample.id.at(-1)) + 7);
  }
});

test('decoding what was encoded gives the text again', () => {
  const printable = Array.from({ length: 95 }, (_, i) => String.fromCharCode(32 + i)).join('');
  for (const text of [
    'Maria trusts Ivan. Ivan visits Oslo.\nQ: Maria trusts someone who visits where?\nA:',
    'Therefore, the answer is Oslo.',
    ' leading,  double and trailing blanks \n\n',
    'Q: A: unknownWord Ivanov (42%)!',
    printable,
  ])
    expect(tokenizer.decode(encode(text))).toBe(text);
});

test('the same ids as the Rust library gave', () => {
  // tokenizers 0.22: Tokenizer.from_file("tokenizer.json").encode(text).ids
  const golden: [string, number[]][] = [
    [
      'Maria trusts Ivan. Ivan visits Oslo.\nQ: Maria trusts someone who visits where?\nA:',
      [43, 92, 33, 114, 33, 96, 80, 114, 100, 2, 43, 92, 8, 9, 96, 11, 131, 100, 3],
    ],
    ['Therefore, the answer is Oslo.', [4, 112, 5, 6, 7, 80, 114]],
    [
      ' two  blanks\n\nand (42%)!',
      [
        99, 99, 184, 187, 179, 99, 99, 166, 176, 165, 178, 175, 183, 100, 100, 165, 178, 168, 99, 108, 120, 118, 105,
        109, 101,
      ],
    ],
    ['Q: A: Marias Ivan:', [99, 149, 126, 99, 133, 126, 99, 145, 165, 182, 173, 165, 183, 99, 141, 186, 165, 178, 126]],
    ['café Sofía', [99, 167, 165, 170, 1, 99, 151, 179, 170, 1, 165]],
  ];
  for (const [text, ids] of golden) expect([text, encode(text)]).toEqual([text, ids]);
});
