/** Pairs of answers in words and of choices: equal ones as models write them, and others that must not pass. Seeded. */
import { randomStream } from '../../activities/engine/random.js';

export interface TextAnswerPair {
  task: 'docqa' | 'choice';
  form: string;
  question: string;
  gold: string;
  response: string;
  equal: boolean;
}

const NAMES = [
  ...['Paris', 'Oslo', 'Lagos', 'Quito', 'Hanoi', 'Accra', 'Lima', 'Porto', 'Kyiv', 'Dakar', 'Tunis', 'Riga', 'Bern'],
  ...['Ada Byron', 'Ibn Sina', 'Marie Curie', 'Alan Turing', 'Emmy Noether', 'Niels Bohr', 'Rosa Parks', 'Li Bai'],
  ...['Treaty of Rome', 'Battle of Hastings', 'Bank of Ghana', 'Gulf of Finland', 'House of Wisdom', 'blue whale'],
];
const LETTERS = ['A', 'B', 'C', 'D', 'E', 'F'];

/** How a response gives its answer. */
const FRAMES: Record<string, (answer: string) => string> = {
  sentence: answer => `The document settles it. Therefore, the answer is ${answer}.`,
  bare: answer => `the answer is ${answer}`,
  bold: answer => `Therefore, the answer is **${answer}**.`,
  boxed: answer => `So it follows. The answer is $\\boxed{\\text{${answer}}}$.`,
  final: answer => `Final Answer: ${answer}`,
  quoted: answer => `Therefore, the answer is "${answer}".`,
  remark: answer => `Therefore, the answer is ${answer}. I hope it is correct.`,
  cited: answer => `The answer is ${answer}.\n\nThis follows from document 2.`,
  thought: answer => `<think>Perhaps Nairobi, or ${answer}?</think>Therefore, the answer is ${answer}.`,
};

/** What an answer becomes that is another one, or none. */
const SPOILED: Record<string, (answer: string, other: string) => string> = {
  other: (_, other) => other,
  negated: answer => `not ${answer}`,
  'a list': (answer, other) => `${other} or ${answer}`,
  both: (answer, other) => `${answer} and ${other}`,
  'taken back': (answer, other) => `${answer}. This is wrong; it should be ${other}`,
  'given again otherwise': (answer, other) => `${answer}. The answer is ${other}`,
  corrected: (answer, other) => `${answer}. Actually, ${other}`,
};

export function textAnswerPairs(seed: number, count: number): TextAnswerPair[] {
  const stream = randomStream('text-answer-pairs', seed);
  const pick = <T>(of: readonly T[]): T => of[stream.below(of.length)]!;
  return Array.from({ length: count }, (_, k): TextAnswerPair => {
    const task = k % 4 < 2 ? 'docqa' : 'choice';
    const equal = k % 2 === 0;
    const pool = task === 'docqa' ? NAMES : LETTERS;
    const gold = pick(pool);
    const other = pick(pool.filter(one => one !== gold));
    const [frame, put] = pick(Object.entries(FRAMES));
    const [spoiling, spoil] = pick(Object.entries(SPOILED));
    const written = task === 'docqa' && stream.uniform() < 0.3 ? gold.toUpperCase() : gold;
    const question =
      task === 'choice' ? `Which?\n${LETTERS.map(letter => `${letter}) item ${letter}`).join('\n')}` : '';
    const form = equal ? frame : `${spoiling}, ${frame}`;
    return { task, form, question, gold, response: put(equal ? written : spoil(gold, other)), equal };
  });
}
