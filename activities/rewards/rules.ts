/** Rule rewards: whether a response's answer is a gold one, with the reason. One rule a task, in one table a scorer. */
import type { Task } from '../datasets/index.js';
import { hardened } from './hardened/index.js';
import { qwenLongL1 } from './qwenlong-l1/index.js';
import type { ResponseContext } from './said.js';
import type { Explanation, Rule, Verdict } from './verdict.js';

export { FINISHES, type Finish, type ResponseContext } from './said.js';
export type { Comparison, Explanation, Verdict } from './verdict.js';

export const SCORERS = ['hardened', 'qwenlong-l1'] as const;
export type Scorer = (typeof SCORERS)[number];

const RULES: Record<Scorer, Record<Task, Rule>> = { hardened, 'qwenlong-l1': qwenLongL1 };

/**
 * 1 when the response's answer is one of the golds; nothing found is 0. `qwenlong-l1` goes by the text alone, as the authors'
 * code does, and passes the context over.
 */
export function scoreRule(
  scorer: Scorer,
  task: Task,
  response: string,
  golds: readonly string[],
  context: ResponseContext = {},
): Verdict {
  const { score, extracted, reason } = explainRule(scorer, task, response, golds, context);
  return { score, extracted, reason };
}

/** The same, with what was compared. */
export function explainRule(
  scorer: Scorer,
  task: Task,
  response: string,
  golds: readonly string[],
  context: ResponseContext = {},
): Explanation {
  return RULES[scorer][task](response, golds, context);
}
