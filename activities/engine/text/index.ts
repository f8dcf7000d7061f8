/** Tokenizers and chat templates. */
export { endsInThinking, RESERVED_VARIABLES, type TemplateSettings } from './chat-template.js';
export { type ChatMessage, loadTokenizer, type Tokenizer } from './tokenizer.js';
