/**
 * Text to token ids and back, by a model folder's tokenizer.json; and chats through the folder's own template.
 *
 * The ids are those of tokenizer.json, which the model was trained on. For a few `tokenizer_class`es transformers 5 puts
 * other steps in the file's place (findings/transformers-replaces-pre-tokenizer.sh); where that may be so, a remark says it
 * (tokenizer-class.ts).
 */
import { access, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Tokenizer as TokenizerJson } from '@huggingface/tokenizers';
import { z } from 'zod';
import { EngineRequestError } from '../protocol/index.js';
import { type ChatTemplate, readChatTemplate, type TemplateSettings } from './chat-template.js';
import { unfollowedSplit } from './split-steps.js';
import { classRemark } from './tokenizer-class.js';
import { matchWholeWords } from './whole-words.js';

/** What a message has beside these (reasoning_content, tool_calls, …) is for the template, as in transformers. */
export interface ChatMessage {
  role: string;
  content?: string | null | undefined;
  [field: string]: unknown;
}

export interface Tokenizer {
  /** @param addSpecial with what the tokenizer itself adds (Llama's begin-of-text, say); default true. */
  encode(text: string, options?: { addSpecial?: boolean }): number[];
  /** @param skipSpecial leaves special tokens out (default: they are shown). */
  decode(ids: readonly number[], options?: { skipSpecial?: boolean }): string;
  /**
   * Ids of a chat in the model's template, nothing added to what the template says.
   * @param options.tools descriptions of tools, as the template has them
   * @throws EngineRequestError where the folder has no template, or the template refuses the messages.
   */
  renderChat(
    messages: readonly ChatMessage[],
    options?: { addGenerationPrompt?: boolean; tools?: readonly unknown[] | null | undefined } & TemplateSettings,
  ): number[];
  /** Whether the template's generation prompt leaves the model inside <think>; throws as `renderChat` does. */
  thinkingOpen(options: { system: string | null } & TemplateSettings): boolean;
  /** Every id a response ends at: the model's ends of text, and what the chat template puts after a reply. Sorted. */
  stopIds: number[];
  /** What ends a text, and what ends a reply in the chat template: the ids a model is trained to stop with. Null where there is none. */
  endOfText: number | null;
  endOfReply: number | null;
  hasChatTemplate: boolean;
  /** What is worth knowing of the folder, for people; null where there is nothing. */
  remark: string | null;
}

/** A special token is its text, or (written by older versions) an object around it. */
const specialToken = z
  .union([z.string(), z.looseObject({ content: z.string() }).transform(token => token.content)])
  .nullish();
const settingsSchema = z.looseObject({
  bos_token: specialToken,
  eos_token: specialToken,
  unk_token: specialToken,
  pad_token: specialToken,
  sep_token: specialToken,
  cls_token: specialToken,
  chat_template: z.unknown().optional(),
  clean_up_tokenization_spaces: z.boolean().nullish(),
  tokenizer_class: z.string().nullish(),
  legacy: z.boolean().nullish(),
});
const tokenizerJsonSchema = z.looseObject({ model: z.looseObject({ type: z.string().default('BPE') }) });
/** The library takes a kind it does not know for one of these, and would give wrong ids without a word. */
const MODEL_KINDS = ['BPE', 'Unigram', 'WordPiece'];
/** config.json and generation_config.json each may name ids that end a text. */
const endsSchema = z.looseObject({
  eos_token_id: z.union([z.int(), z.array(z.int())]).nullish(),
  model_type: z.string().nullish(),
});

/** @throws EngineRequestError (bad-model, unsupported) naming the file and what is wrong with it. */
export async function loadTokenizer(directory: string): Promise<Tokenizer> {
  const settings = await readJson(join(directory, 'tokenizer_config.json'), settingsSchema, {});
  const { inner, json } = await loadTokenizerJson(directory, settings);
  const { model_type } = await readJson(join(directory, 'config.json'), endsSchema, {});
  const remark = classRemark(json, { ...settings, model_type });
  const template = await readChatTemplate(directory, settings.chat_template, specialTokens(settings));
  // A chat says where its special tokens go, so nothing is added to it. Empty texts are no matter for the library.
  const encodeAs = (text: string, addSpecial: boolean) =>
    text === '' && !addSpecial ? [] : inner.encode(text, { add_special_tokens: addSpecial }).ids;

  return {
    encode: (text, { addSpecial = true } = {}) => encodeAs(text, addSpecial),
    decode: (ids, { skipSpecial = false } = {}) => {
      // Models often have more rows than the tokenizer has tokens; such an id stands for no text.
      const known = ids.filter(id => inner.id_to_token(id) !== undefined);
      if (known.length === 0) return '';
      return inner.decode(known, {
        skip_special_tokens: skipSpecial,
        clean_up_tokenization_spaces: settings.clean_up_tokenization_spaces ?? false,
      });
    },
    renderChat: (messages, { addGenerationPrompt = false, ...given } = {}) =>
      encodeAs(expectTemplate(directory, template).render(messages, addGenerationPrompt, given), false),
    thinkingOpen: ({ system, ...given }) => expectTemplate(directory, template).thinkingOpen(system, given),
    ...(await endings(directory, inner, settings, template, text => encodeAs(text, false))),
    hasChatTemplate: template !== null,
    remark: remark && `${directory}: ${remark}`,
  };
}

function expectTemplate(directory: string, template: ChatTemplate | null): ChatTemplate {
  if (template) return template;
  throw new EngineRequestError(
    `${directory}: has no chat template (chat_template.jinja, or chat_template in tokenizer_config.json); give texts or ids instead of messages`,
  );
}

async function loadTokenizerJson(directory: string, settings: object): Promise<{ inner: TokenizerJson; json: object }> {
  const path = join(directory, 'tokenizer.json');
  const missing = await access(path).then(
    () => false,
    ({ code }: NodeJS.ErrnoException) => code === 'ENOENT',
  );
  if (missing) {
    throw new EngineRequestError(
      `no tokenizer.json in ${directory}; expected a Hugging Face model folder with one: save it with transformers' AutoTokenizer`,
      'bad-model',
    );
  }
  const json = await readJson(path, tokenizerJsonSchema);
  if (!MODEL_KINDS.includes(json.model.type)) {
    throw new EngineRequestError(
      `${path}: model.type '${json.model.type}' is not supported; supported: ${MODEL_KINDS.join(', ')}`,
      'unsupported',
    );
  }
  const split = unfollowedSplit(json.pre_tokenizer);
  if (split !== null) {
    throw new EngineRequestError(
      `${path}: pre_tokenizer has a ${split}, which is not supported; supported: Isolated without invert, and Removed by a Regex`,
      'unsupported',
    );
  }
  try {
    const inner = new TokenizerJson(json, settings);
    matchWholeWords(inner);
    return { inner, json };
  } catch (error) {
    throw new EngineRequestError(
      `${path}: this tokenizer cannot be used: ${error instanceof Error ? error.message : error}`,
      'unsupported',
    );
  }
}

function specialTokens(settings: z.output<typeof settingsSchema>): Record<string, string> {
  const names = ['bos_token', 'eos_token', 'unk_token', 'pad_token', 'sep_token', 'cls_token'] as const;
  return Object.fromEntries(names.flatMap(name => (settings[name] ? [[name, settings[name]]] : [])));
}

async function endings(
  directory: string,
  inner: TokenizerJson,
  settings: z.output<typeof settingsSchema>,
  template: ChatTemplate | null,
  encode: (text: string) => number[],
): Promise<Pick<Tokenizer, 'stopIds' | 'endOfText' | 'endOfReply'>> {
  const ids = new Set<number>();
  for (const file of ['config.json', 'generation_config.json']) {
    const { eos_token_id } = await readJson(join(directory, file), endsSchema, {});
    for (const id of [eos_token_id ?? []].flat()) ids.add(id);
  }
  const eos = settings.eos_token ? inner.token_to_id(settings.eos_token) : undefined;
  if (eos !== undefined) ids.add(eos);
  const endOfText = eos ?? ids.values().next().value ?? null;
  const special = inner.get_added_tokens_decoder();
  const endOfTurn = template && encode(template.afterReply()).find(id => special.get(id)?.special);
  if (typeof endOfTurn === 'number') ids.add(endOfTurn);
  return {
    endOfText,
    endOfReply: typeof endOfTurn === 'number' ? endOfTurn : endOfText,
    stopIds: [...ids].sort((a, b) => a - b),
  };
}

/** @param fallback what an absent file stands for; without one it is an error. */
async function readJson<S extends z.ZodType>(path: string, schema: S, fallback?: z.input<S>): Promise<z.output<S>> {
  let json: unknown;
  try {
    json = JSON.parse(await readFile(path, 'utf8'));
  } catch (error) {
    const absent = (error as NodeJS.ErrnoException).code === 'ENOENT';
    if (!absent || fallback === undefined) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new EngineRequestError(`${path}: cannot be read: ${reason}`, 'bad-model');
    }
    json = fallback;
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const issues = parsed.error.issues.map(issue => `${issue.path.join('.') || 'content'}: ${issue.message}`);
  throw new EngineRequestError(`${path}: ${issues.join('; ')}`, 'bad-model');
}
