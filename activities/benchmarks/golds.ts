/** Gold answers that nothing could ever be scored against: refused as data is read, before any answer to them is paid for. */
import { MARK_END, type Task } from '../datasets/index.js';
import { goldLetter, isNumericGold, optionsOf } from '../rewards/index.js';
import { isDocmathGold } from './metrics/docmath.js';

/** What a gold is read for: a task's rule, and a benchmark's official metric where there is one. */
export interface GoldUse {
  task: Task;
  question: string;
  answers: readonly string[];
  metric?: string | undefined;
}

/** What is wrong with a sample's golds, with the value and what was expected; null when nothing is. */
export function unreadableGold({ task, question, answers, metric }: GoldUse): string | null {
  const found = `found ${answers.map(answer => JSON.stringify(answer)).join(', ') || 'none'}`;
  if (metric === 'docmath') {
    const unread = answers.find(answer => !isDocmathGold(answer));
    if (unread !== undefined) {
      return `expected a plain number, or True or False, as gold answer, for that is all that DocMath-Eval's accuracy reads; found ${JSON.stringify(unread)}`;
    }
  }
  if (metric === 'mrcr' && answers.some(answer => !answer.includes(MARK_END))) {
    return `expected as gold answer what a response must begin with and, on the next line, the text that follows; ${found}`;
  }
  if (task === 'docmath') {
    const unread = answers.find(answer => !isNumericGold(answer));
    if (unread !== undefined) {
      return `task docmath: expected a number or a formula, or True or False, as gold answer; found ${JSON.stringify(unread)}`;
    }
  }
  if (task !== 'choice') return null;
  const options = optionsOf(question);
  const letters = answers.map(answer => goldLetter(answer, options)).filter(letter => letter !== null);
  if (options.length === 0) {
    return letters.length > 0
      ? null
      : `task choice: expected a letter as gold answer, or the text of one of the question's options, which it does not list as "(A) … (B) …"; ${found}`;
  }
  const listed = `expected a letter A–${options.at(-1)!.letter} as gold answer, or the text of one of the question's options`;
  if (letters.some(letter => options.some(option => option.letter === letter))) return null;
  return letters.length > 0
    ? `task choice: ${listed}, of which none is ${letters.join(' or ')}; ${found}`
    : `task choice: ${listed}; ${found}`;
}
