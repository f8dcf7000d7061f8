/**
 * Where AutoTokenizer of transformers 5 does not follow tokenizer.json: a few classes put a normaliser and a splitting of
 * words of their own in the place of the file's. The ids here are always the file's, as in transformers 4 and the Rust
 * library; a folder for which that may differ is worth a remark.
 */
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';

const stepsSchema = z.looseObject({ normalizer: z.unknown(), pre_tokenizer: z.unknown() });
type Steps = z.output<typeof stepsSchema>;

interface Named {
  model_type?: string | null | undefined;
  tokenizer_class?: string | null | undefined;
  legacy?: boolean | null | undefined;
}

const bytes = (use_regex: boolean) => ({ type: 'ByteLevel', add_prefix_space: false, use_regex });
const QWEN_WORDS =
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
const QWEN_SPLIT = { type: 'Split', pattern: { Regex: QWEN_WORDS }, behavior: 'Isolated', invert: false };

/** The steps that a class has instead of the file's. */
const CLASSES: Record<string, (named: Named) => Steps> = {
  Qwen2Tokenizer: () => ({
    normalizer: { type: 'NFC' },
    pre_tokenizer: { type: 'Sequence', pretokenizers: [QWEN_SPLIT, bytes(false)] },
  }),
  GPT2Tokenizer: () => ({ normalizer: null, pre_tokenizer: bytes(true) }),
  LlamaTokenizer: ({ legacy }) => ({
    normalizer: null,
    pre_tokenizer: {
      type: 'Metaspace',
      replacement: '▁',
      prepend_scheme: (legacy ?? false) ? 'always' : 'first',
      split: false,
    },
  }),
};

/**
 * @param tokenizerJson the parsed tokenizer.json
 * @param named what config.json and tokenizer_config.json say of the class
 * @returns a sentence for the user where the ids of AutoTokenizer of transformers 5 may be others; else null
 */
export function classRemark(tokenizerJson: object, named: Named): string | null {
  const name = classOf(named);
  const own = Object.hasOwn(CLASSES, name) ? CLASSES[name]!(named) : null;
  if (own === null) return null;
  const steps = stepsSchema.parse(tokenizerJson);
  // Llama 3's tokenizers bear the name of Llama 2's class; over bytes it is not taken.
  if (name === 'LlamaTokenizer' && JSON.stringify(steps.pre_tokenizer ?? null).includes('"ByteLevel"')) return null;
  const fields = ['normalizer', 'pre_tokenizer'] as const;
  const differing = fields.filter(field => !isDeepStrictEqual(settled(steps[field]), settled(own[field])));
  if (differing.length === 0) return null;
  return `tokenizer.json has another ${differing.join(' and ')} than ${name} of transformers 5 puts in its place: token ids are the file's, as in transformers 4, and AutoTokenizer's may differ`;
}

/** Of a model of type qwen2 the named class does not count. */
function classOf({ model_type, tokenizer_class }: Named): string {
  if (model_type === 'qwen2') return 'Qwen2Tokenizer';
  const named = tokenizer_class?.replace(/Fast$/, '');
  return named ?? (model_type === 'qwen3' ? 'Qwen2Tokenizer' : '');
}

/** Without what changes no id, and with what the Rust library takes for a field that is left out. */
function settled(step: unknown): unknown {
  if (Array.isArray(step)) return step.map(settled);
  if (typeof step !== 'object' || step === null) return step ?? null;
  const { trim_offsets: _, ...fields } = step as Record<string, unknown>;
  if (fields.type === 'ByteLevel') fields.use_regex ??= true;
  return Object.fromEntries(Object.entries(fields).map(([field, value]) => [field, settled(value)]));
}
