/** Models by the name a spec gives them, opened for text work. */
import { readConfig, resolveModel } from '../engine/folders/index.js';
import { adapterShapes, targetedModules } from '../engine/model/index.js';
import { loadTokenizer, type Tokenizer } from '../engine/text/index.js';
import type { Models, TextModel } from './text-model.js';
import type { TextTokens } from './truncation.js';

/** @param cacheDir where models from the Hugging Face Hub are kept */
export function createModels(cacheDir: string): Models {
  return {
    resolve: (model, signal, what) => resolveModel(model, { cacheDir, signal, ...what }),
    open: openTextModel,
    tokens: async (model, signal) => {
      const { directory } = await resolveModel(model, { cacheDir, signal, weights: false });
      return textTokens(await loadTokenizer(directory));
    },
  };
}

/** Opens a Hugging Face folder's tokenizer, chat template and limits. */
export async function openTextModel(folder: string): Promise<TextModel> {
  const { config } = await readConfig(folder);
  const tokenizer = await loadTokenizer(folder);
  return {
    contextLength: config.contextLength,
    stopIds: tokenizer.stopIds,
    remark: tokenizer.remark,
    adapterParameters: ({ rank, targetModules }) =>
      [...adapterShapes(config, targetedModules(config, targetModules), () => rank).values()].reduce(
        (sum, [rows, columns]) => sum + rows! * columns!,
        0,
      ),
    promptIds: (text, { chat, system, variables, date }) => {
      if (!chat) return tokenizer.encode(text);
      const messages = [
        ...(system === null ? [] : [{ role: 'system', content: system }]),
        { role: 'user', content: text },
      ];
      return tokenizer.renderChat(messages, { addGenerationPrompt: true, variables, date });
    },
    thinkingOpen: ({ system, variables, date }) => tokenizer.thinkingOpen({ system, variables, date }),
    responseIds: (text, { chat }) => [...tokenizer.encode(text, { addSpecial: false }), end(tokenizer, chat, folder)],
    responseText: ids => tokenizer.decode(ids, { skipSpecial: true }),
    ...textTokens(tokenizer),
  };
}

function textTokens(tokenizer: Tokenizer): TextTokens {
  return {
    documentIds: text => tokenizer.encode(text, { addSpecial: false }),
    documentText: ids => tokenizer.decode(ids),
  };
}

function end(tokenizer: Tokenizer, chat: boolean, folder: string): number {
  const id = chat ? tokenizer.endOfReply : tokenizer.endOfText;
  if (id === null) throw new Error(`${folder}: no token ends a response; expected eos_token in tokenizer_config.json`);
  return id;
}
