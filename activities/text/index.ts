/** From samples to token ids and back: prompts, truncation, a model as text. */
export { chunksOf } from './chunks.js';
export { createModels, openTextModel } from './models.js';
export { openModel, type Reading } from './open-model.js';
export { createPrompter, type Prompter, type PromptModel, type Rendered, renderedBy } from './prompter.js';
export { documentsText, renderPrompt, renderTemplate } from './prompts.js';
export type { Models, PromptOptions, TextModel } from './text-model.js';
export { type FittedPrompt, fitPrompt, type TextTokens, truncateMiddle } from './truncation.js';
