/** What the generated tasks have in common: a text that can be of any length, and a question that needs nearly none of it. */
import { pick, type RandomStream } from '../../engine/random.js';
import { PEOPLE, PERSON_VERBS, PLACE_VERBS, PLACES } from '../vocabulary.js';
import { sentence } from '../world.js';

export interface Made {
  text: string;
  question: string;
  /** All of them are to be found, in this order. */
  answers: string[];
  /** The sentences that they follow from. */
  reasoning: string;
}

export interface LongTask {
  /**
   * @param length how much else stands in the text, in sentences or words: with more of it the text is longer
   * @param random decides everything else: of the same stream texts of other lengths ask about the same
   */
  make(length: number, random: (purpose: string) => RandomStream): Made;
}

const CONSONANTS = 'bdfgklmnprstvz';
const VOWELS = 'aeiou';

/** A word of three syllables that no text knows: 343,000 of them. */
export const word = (random: RandomStream): string =>
  Array.from(
    { length: 3 },
    () => CONSONANTS[random.below(CONSONANTS.length)]! + VOWELS[random.below(VOWELS.length)]!,
  ).join('');

/** So many words, no two alike. */
export function words(count: number, random: RandomStream): string[] {
  const found = new Set<string>();
  while (found.size < count) found.add(word(random));
  return [...found];
}

/** Seven digits: nobody guesses them. */
export const number = (random: RandomStream): string => String(1_000_000 + random.below(9_000_000));

/** A sentence about people and places, which no question is about. */
function filler(random: RandomStream): string {
  const subject = pick(PEOPLE, random);
  const verb = pick([...PERSON_VERBS, ...PLACE_VERBS], random);
  return sentence({ subject, verb, value: pick(PLACE_VERBS.includes(verb) ? PLACES : PEOPLE, random) });
}

/** The needles in their order, at places drawn evenly among so many other sentences. */
export function hidden(needles: readonly string[], length: number, random: (purpose: string) => RandomStream): string {
  const places = random('places');
  const at = needles.map(() => places.below(length + 1)).sort((a, b) => a - b);
  const others = random('filler');
  const sentences: string[] = [];
  for (let k = 0, next = 0; k <= length; k++) {
    while (next < needles.length && at[next] === k) sentences.push(needles[next++]!);
    if (k < length) sentences.push(filler(others));
  }
  return sentences.join(' ');
}
