/** ROUGE-L as the Python package `rouge` 1.0 has it, which LongBench's rouge_score calls; not the ROUGE-L of Lin (2004). */
import { splitBlanks } from './python-text.js';

/**
 * F1 of words: those of the union, over all pairs of sentences, of longest common subsequences, against the different words of
 * either text. Words count once however often they stand there, a full stop alone ends a sentence (also in "3.5"), case and
 * punctuation matter. 0 where either text has no sentence. Sentence pairs of about a thousand words exceed the recursion limit
 * of the package, and LongBench makes that a 0; here they have their value.
 */
export function rougeL(prediction: string, gold: string): number {
  const [given, wanted] = [sentences(prediction), sentences(gold)];
  if (given.length === 0 || wanted.length === 0) return 0;
  const union = new Set<string>();
  for (const wantedWords of wanted)
    for (const givenWords of given)
      for (const word of longestCommonSubsequence(wantedWords, givenWords)) union.add(word);
  const recall = union.size / new Set(wanted.flat()).size;
  const precision = union.size / new Set(given.flat()).size;
  return 2 * ((precision * recall) / (precision + recall + 1e-8));
}

/** The words of each; a sentence of blanks has one word, the empty one. */
function sentences(text: string): string[][] {
  return text
    .split('.')
    .filter(sentence => sentence !== '')
    .map(sentence => {
      const words = splitBlanks(sentence);
      return words.length > 0 ? words : [''];
    });
}

/** Of several longest ones, that which the package walks back to: where neither neighbour is longer, it drops y's word. */
function longestCommonSubsequence(x: readonly string[], y: readonly string[]): string[] {
  const width = y.length + 1;
  const lengths = new Uint32Array((x.length + 1) * width);
  for (let i = 1; i <= x.length; i++)
    for (let j = 1; j <= y.length; j++)
      lengths[i * width + j] =
        x[i - 1] === y[j - 1]
          ? lengths[(i - 1) * width + j - 1]! + 1
          : Math.max(lengths[(i - 1) * width + j]!, lengths[i * width + j - 1]!);
  const words: string[] = [];
  let [i, j] = [x.length, y.length];
  while (i > 0 && j > 0) {
    if (x[i - 1] === y[j - 1]) {
      words.push(x[i - 1]!);
      i--;
      j--;
    } else if (lengths[(i - 1) * width + j]! > lengths[i * width + j - 1]!) i--;
    else j--;
  }
  return words;
}
