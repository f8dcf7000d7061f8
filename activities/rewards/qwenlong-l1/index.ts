/** The rules of the `qwenlong-l1` scorer, and whether the authors' code would go on to ask its judge. */
import type { Task } from '../../datasets/index.js';
import type { Rule } from '../verdict.js';
import { choice } from './choice.js';
import { docmath } from './docmath.js';
import { docqa } from './docqa.js';
import { type AuthorsOutcome, type AuthorsRule, asAuthors, outcome } from './rule.js';

const RULES: Record<Task, AuthorsRule> = { docqa, docmath, choice };

export const qwenLongL1: Record<Task, Rule> = {
  docqa: asAuthors(docqa),
  docmath: asAuthors(docmath),
  choice: asAuthors(choice),
};

/** One response against one gold, with what their code would do next: raise, or ask a judge. */
export const authorsOutcome = (task: Task, response: string, gold: string): AuthorsOutcome =>
  outcome(RULES[task], response, gold);
