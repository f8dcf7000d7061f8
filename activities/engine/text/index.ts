/** Tokenizers and chat templates. */
export { type ChatMessage, loadTokenizer, type Tokenizer } from './tokenizer.js';
