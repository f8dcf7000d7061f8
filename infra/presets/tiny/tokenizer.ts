/**
 * The tiny model's tokenizer.json: every word of the tiny world is one token, printable ASCII characters are the fallback.
 * A BPE model without merges does that with "ignore_merges", and both JavaScript's and Rust's libraries read it.
 */
import { FUNCTION_WORDS, PEOPLE, PERSON_VERBS, PLACE_VERBS, PLACES } from '../../../activities/datasets/index.js';

/** Stands for a blank, as in Llama 2: a word's token has its leading blank, so decoding is joining. */
const BLANK = '▁';

export const EOS = '<eos>';
export const UNKNOWN = '<unk>';

const SPECIAL = [EOS, UNKNOWN];
const CHARACTERS = [BLANK, '\n', ...Array.from({ length: 94 }, (_, i) => String.fromCharCode(33 + i))];

/** Tokens in the order of their ids. "Q:" and "A:" begin a line, so they come without a blank. */
export const TOKENS: readonly string[] = [
  ...SPECIAL,
  ...FUNCTION_WORDS.map(word => (word.endsWith(':') ? word : BLANK + word)),
  ...[...PEOPLE, ...PLACES, ...PERSON_VERBS, ...PLACE_VERBS].map(word => BLANK + word),
  ...CHARACTERS,
];

/** The content of tokenizer.json. Text of other than ASCII characters is read as <unk>, one for each character. */
export function tokenizerJson(): Record<string, unknown> {
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: SPECIAL.map((content, id) => ({
      id,
      content,
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
      special: true,
    })),
    // The blank put before the text makes its first word the token it is everywhere else; decoding strips it again.
    normalizer: {
      type: 'Sequence',
      normalizers: [
        { type: 'Prepend', prepend: BLANK },
        { type: 'Replace', pattern: { String: ' ' }, content: BLANK },
      ],
    },
    pre_tokenizer: { type: 'Split', pattern: { Regex: `${BLANK}?[A-Za-z]+:?` }, behavior: 'Isolated', invert: false },
    post_processor: null,
    decoder: {
      type: 'Sequence',
      decoders: [
        { type: 'Replace', pattern: { String: BLANK }, content: ' ' },
        { type: 'Fuse' },
        { type: 'Strip', content: ' ', start: 1, stop: 0 },
      ],
    },
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: UNKNOWN,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: true,
      vocab: Object.fromEntries(TOKENS.map((token, id) => [token, id])),
      merges: [],
    },
  };
}

/** The content of tokenizer_config.json. */
export function tokenizerConfigJson(): Record<string, unknown> {
  return {
    tokenizer_class: 'PreTrainedTokenizerFast',
    add_bos_token: false,
    add_eos_token: false,
    clean_up_tokenization_spaces: false,
    eos_token: EOS,
    unk_token: UNKNOWN,
    model_max_length: 2048,
  };
}
