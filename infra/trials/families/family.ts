/** One family: its samples drawn, hashed, and looked at for what would give their answers away. */
import { createHash } from 'node:crypto';
import {
  ANSWER_SEPARATOR,
  type DataSource,
  openData,
  openSource,
  type PromptMeasure,
  type Sample,
} from '../../../activities/datasets/index.js';

export interface Drawn {
  family: string;
  samples: number;
  /** Of the samples as JSON lines. */
  sha256: string;
  /** Samples whose question holds an answer. */
  told: number;
  /** The largest share of samples that one and the same guess is right for: an answer, or the place of one. */
  bestGuess: number;
  guess: string;
}

/** Families whose answers follow from one of few things said in the question: what is guessed is which. */
const GUESSES: Record<string, (sample: Sample) => string> = {
  compare: ({ question, answers }) => {
    const names = [...question.matchAll(/"([^"]+)"/g)].map(([, name]) => name!);
    return `the name in place ${names.indexOf(answers[0]!) + 1} of ${names.length}`;
  },
};
/** Their answers are among what the question lists, so that it tells nothing that it holds them. */
const LISTED = ['compare', 'reconstruct'];

/** A word is a token: lengths of the generated tasks are the same for everybody. */
const words = (text: string): number => text.split(/\s+/).filter(word => word !== '').length;
const WORDS: PromptMeasure = {
  promptTokens: ({ question, documents }) =>
    words(question) + documents.reduce((sum, { text }) => sum + words(text), 0),
  documentTokens: ({ text }) => words(text),
};

/** @throws RangeError where there are fewer samples than wanted */
export async function draw(family: string, source: DataSource, wanted: number): Promise<Drawn> {
  const hash = createHash('sha256');
  const guesses = new Map<string, number>();
  let [samples, told] = [0, 0];
  const opened = openData(source, plain => openSource(plain, { cacheDir: '' }), WORDS);
  for await (const sample of opened.samples) {
    hash.update(`${JSON.stringify(sample)}\n`);
    const answers = sample.answers[0]!.split(ANSWER_SEPARATOR);
    if (!LISTED.includes(family) && answers.some(answer => holds(sample.question, answer))) told++;
    const guess = (GUESSES[family] ?? (({ answers }) => answers[0]!))(sample);
    guesses.set(guess, (guesses.get(guess) ?? 0) + 1);
    if (++samples === wanted) break;
  }
  if (samples < wanted) throw new RangeError(`${family}: expected ${wanted} samples, found ${samples}`);
  const [guess, often] = [...guesses].sort((a, b) => b[1] - a[1])[0]!;
  return { family, samples, sha256: hash.digest('hex'), told, bestGuess: often / samples, guess };
}

/** As a word or words of its own. */
function holds(question: string, answer: string): boolean {
  const spaced = (text: string) =>
    ` ${text
      .toLowerCase()
      .split(/[^\p{L}\p{N}]+/u)
      .join(' ')} `;
  return spaced(question).includes(spaced(answer));
}
