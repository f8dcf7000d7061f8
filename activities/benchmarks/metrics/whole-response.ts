/** Metrics that read all of what a response says: of LongBench v2, MRCR and RULER. */
import { ANSWER_SEPARATOR, MARK_END } from '../../datasets/index.js';
import { strip } from './python-text.js';
import { similarity } from './sequence-matcher.js';

const CHOICES = [/The correct answer is \(([A-D])\)/, /The correct answer is ([A-D])/];

/** LongBench v2: whether the letter that "The correct answer is" names is the right one. */
export function choiceAccuracy(response: string, gold: string): number {
  const plain = response.replaceAll('*', '');
  const letter = CHOICES.map(pattern => pattern.exec(plain)?.[1]).find(found => found !== undefined);
  return letter === gold ? 1 : 0;
}

/** MRCR: 0 unless the response begins with the mark that was asked for; else how similar what follows is. */
export function markedSimilarity(response: string, gold: string): number {
  const end = gold.indexOf(MARK_END);
  const mark = gold.slice(0, end);
  if (!response.startsWith(mark)) return 0;
  return similarity(response.slice(mark.length), gold.slice(end + MARK_END.length));
}

const CONTROLS = /\p{Cc}/gu;

/** As RULER's scripts have a prediction before they look into it. */
const searched = (response: string): string =>
  strip(strip(response).replace(CONTROLS, control => (control < ' ' ? '\n' : control))).toLowerCase();

/** RULER: the share of the answers that stand in the response. */
export function matchAll(response: string, gold: string): number {
  const text = searched(response);
  const answers = gold.split(ANSWER_SEPARATOR);
  return answers.filter(answer => text.includes(answer.toLowerCase())).length / answers.length;
}

/** RULER, of questions with one answer: whether it stands in the response. */
export function matchPart(response: string, gold: string): number {
  return searched(response).includes(gold.toLowerCase()) ? 1 : 0;
}
