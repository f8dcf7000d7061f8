/**
 * `qwenlong-l1`: what the reward code of Tongyi-Zhiwen/QwenLong-L1 (verl/verl/utils/reward_score) gives, holes included, so
 * that published numbers stay comparable. Written from its behaviour; test/fixtures/golden/golden_rewards.py runs theirs.
 *
 * Where ours asks more than theirs answers:
 * - Their golds are sentences ("… the answer is X", "The correct answer is (X)"). One in which they find nothing is read as
 *   the answer itself, as their evaluation scripts (eval/*.py) do; a choice's letter alone likewise, which they would score 0.
 * - They know one gold; of several, any will do.
 * - Where theirs raises, their reward manager does not catch it and the run dies: here the score is 0 and the reason says so.
 */
import { type Comparison, type Explanation, quoted, type Rule } from '../verdict.js';
import { PythonError } from './python-numbers.js';
import { afterLast, strip } from './python-text.js';

export interface AuthorsRule {
  /** The answer a text states; null when none is found, and an empty one counts as none. */
  parse(text: string): string | null;
  /** What their evaluation reads in a gold that is no sentence. */
  plainGold(gold: string): string | null;
  /** @throws PythonError where theirs raises */
  compare(answer: string, gold: string | null): Comparison;
  /** Whether they ask a judge where this says 0. */
  judged: boolean;
}

/** What their code makes of one response and one gold. */
export interface AuthorsOutcome {
  score: 0 | 1;
  extracted: string | null;
  comparison: Comparison | null;
  /** What their Python raises here; null where it returns. */
  raised: PythonError | null;
  /** Whether they go on to ask their judge, given one. */
  asksJudge: boolean;
}

const THOUGHT_END = '</think>';

export function outcome(rule: AuthorsRule, response: string, gold: string): AuthorsOutcome {
  const said = response.includes(THOUGHT_END) ? strip(afterLast(response, THOUGHT_END)) : '';
  const extracted = said === '' ? null : rule.parse(said);
  const none = { score: 0, extracted, comparison: null, raised: null, asksJudge: false } as const;
  if (!extracted) return none;
  try {
    const comparison = rule.compare(extracted, rule.parse(gold) ?? rule.plainGold(gold));
    const score = comparison.equal ? 1 : 0;
    return { ...none, score, comparison, asksJudge: rule.judged && score === 0 };
  } catch (raised) {
    if (raised instanceof PythonError) return { ...none, raised };
    throw raised;
  }
}

export const asAuthors =
  (rule: AuthorsRule): Rule =>
  (response, golds): Explanation => {
    const outcomes: AuthorsOutcome[] = [];
    for (const gold of golds) {
      outcomes.push(outcome(rule, response, gold));
      if (outcomes.at(-1)!.score === 1) break;
    }
    const extracted = outcomes[0]?.extracted ?? outcome(rule, response, '').extracted;
    const comparisons = outcomes.flatMap(({ comparison }) => comparison ?? []);
    const score = outcomes.at(-1)?.score ?? 0;
    return { score, extracted, reason: reason(outcomes, extracted, response), comparisons };
  };

function reason(outcomes: readonly AuthorsOutcome[], extracted: string | null, response: string): string {
  if (!response.includes(THOUGHT_END)) return `no answer found: theirs reads only what follows "${THOUGHT_END}"`;
  if (!extracted) return `no answer found after the last "${THOUGHT_END}"`;
  const { raised, comparison, score } = outcomes.at(-1) ?? { raised: null, comparison: null, score: 0 };
  if (raised) return `theirs raises ${raised.type} (${raised.message}), which ends their run; counted as 0`;
  if (!comparison) return 'there is no gold answer';
  const forms = `${quoted(comparison.answer)} and ${quoted(comparison.gold)}`;
  return score === 1 ? `${comparison.rule}: ${forms}` : `not so: ${comparison.rule}: ${forms}`;
}
