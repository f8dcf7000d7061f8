/** What a response says, as opposed to thinks. */

/** How a response came to its end: by itself, at the limit of tokens, or otherwise. */
export const FINISHES = ['stop', 'length', 'other'] as const;
export type Finish = (typeof FINISHES)[number];

/** What is known of a response besides its text. */
export interface ResponseContext {
  /** `length`: it was cut off. Not known: taken as whole. */
  finish?: Finish | undefined;
  /** The prompt ended inside <think>, as templates of reasoning models have it: the response has </think> alone. */
  promptOpensThinking?: boolean | undefined;
  /** The question, whose options a choice may name by their text. */
  question?: string | undefined;
}

const THINK = '<think>';
const THINK_END = '</think>';
/** What some tokenizers write where a reply ends: <|im_end|>, <｜end▁of▁sentence｜>. */
const END_TOKEN = /(?:<[|｜][^<>|｜]{1,40}[|｜]>|<\/s>)$/u;

/** The text after the last </think>, or all of it where nothing is thought; null where thinking does not end. */
export function saidIn(response: string, { promptOpensThinking = false }: ResponseContext = {}): string | null {
  const end = response.lastIndexOf(THINK_END);
  if (end < 0 && promptOpensThinking) return null;
  let said = end < 0 ? response : response.slice(end + THINK_END.length);
  if (said.includes(THINK)) return null;
  said = said.trimEnd();
  while (END_TOKEN.test(said)) said = said.replace(END_TOKEN, '').trimEnd();
  return said;
}
