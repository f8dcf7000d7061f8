/** One held-out question with the answers of the base, the SFT policy and the last policy, from the evaluation artifacts. */
import type { EvaluationRow } from '../../activities/contract/index.js';
import type { EvaluationResult } from '../../activities/evaluation/index.js';
import { readJson, type Store } from '../../activities/store/index.js';

/** Thoughts may be long; the answer is at the end. */
const SHOWN_CHARACTERS = 400;

/**
 * Lines for a person; none when nothing was evaluated. The set is the one with the longest prompts, the question its first
 * one that the last policy scores otherwise than the first, or its first at all: a question that shows what changed.
 */
export async function heldOutQuestion(store: Store, rows: EvaluationRow[]): Promise<string[]> {
  const longest = [...rows].sort((a, b) => b.meanPromptTokens - a.meanPromptTokens)[0]?.set;
  const ofSet = rows.filter(row => row.set === longest);
  const shown = [...new Set([...ofSet.filter(row => ['base', 'sft'].includes(row.policy)), ...ofSet.slice(-1)])];
  if (shown.length === 0) return [];
  const results = await Promise.all(shown.map(row => load(store, row)));
  const [first, last] = [results[0]!, results.at(-1)!];
  const changed = first.items.findIndex((item, i) => item.answers[0]?.reward !== last.items[i]?.answers[0]?.reward);
  const chosen = Math.max(0, changed);
  const item = first.items[chosen];
  if (!item) return [];
  return [
    `A held-out question (${longest}, ${item.promptTokens} tokens, ${item.id}):`,
    `  ${item.question}`,
    `  gold: ${item.golds.join(' | ')}`,
    ...results.flatMap((result, k) => answer(shown[k]!.policy, result.items[chosen])),
  ];
}

async function load(store: Store, { uri }: EvaluationRow): Promise<EvaluationResult> {
  const ref = await store.find(uri);
  if (!ref) throw new Error(`${uri} is not in the store`);
  return readJson<EvaluationResult>(store, ref);
}

function answer(policy: string, item: EvaluationResult['items'][number] | undefined): string[] {
  const response = item?.answers[0];
  if (!response) return [];
  // A model may write anything, also what a terminal takes for commands.
  const text = response.text.trim().replace(/(?!\n)\p{Cc}/gu, '\ufffd');
  const cut = text.length > SHOWN_CHARACTERS ? `… ${text.slice(-SHOWN_CHARACTERS)}` : text;
  return [`  ${policy} (${response.reward === 1 ? 'right' : 'wrong'}):`, ...cut.split('\n').map(line => `    ${line}`)];
}
