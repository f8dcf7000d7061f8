/**
 * What the tiny base is taught, in the order a very small model can learn it: copying from dense repetition, then facts
 * said again in another order, then questions answered by the facts they take. The answer's format is left to the warm-up.
 */
import {
  drawChain,
  drawFacts,
  type Fact,
  PEOPLE,
  PERSON_VERBS,
  PLACE_VERBS,
  PLACES,
  questionOf,
  sentence,
} from '../../../activities/datasets/index.js';
import type { SftExample } from '../../../activities/engine/protocol/index.js';
import { pick, type RandomStream, shuffled } from '../../../activities/engine/random.js';

type Encode = (text: string) => number[];
/** Makes one example of about `length` tokens; `progress` runs from 0 to 1 over the lesson. */
type Example = (random: RandomStream, length: number, progress: number, encode: Encode) => SftExample;

export interface Lesson {
  name: string;
  steps: number;
  /** Examples of a step, and tokens of each. */
  batch: number;
  length: number;
  example: Example;
}

const VERBS = [...PERSON_VERBS, ...PLACE_VERBS];
const WORDS = [...PEOPLE, ...PLACES, ...VERBS];

const between = (random: RandomStream, low: number, high: number): number => low + random.below(high - low + 1);
const some = <T>(items: readonly T[], count: number, random: RandomStream): T[] =>
  shuffled(items, random).slice(0, count);

/** Random words over and over. Two or three at first, which attention to the last few tokens can copy, then up to 16. */
const repetition: Example = (random, length, progress, encode) => {
  const chunk = some(WORDS, between(random, 2, 3 + Math.floor(13 * progress)), random);
  const ids = encode(chunk.join(' '));
  return {
    promptIds: ids,
    responseIds: Array.from({ length: length - ids.length }, (_, i) => ids[i % ids.length]!),
  };
};

/** The facts, then again and again in new orders; only what is said again is learned from: the rest is chance. */
function restated(facts: Fact[], random: RandomStream, length: number, encode: Encode): SftExample {
  const ids = (order: Fact[]): number[] => encode(order.map(sentence).join(' '));
  const promptIds = ids(facts);
  const responseIds: number[] = [];
  while (promptIds.length + responseIds.length < length) responseIds.push(...ids(shuffled(facts, random)));
  return { promptIds, responseIds: responseIds.slice(0, length - promptIds.length) };
}

/** Few facts, mostly of one verb, so that the subject alone tells them apart. */
const fewFacts: Example = (random, length, _progress, encode) => {
  const verbs = some(VERBS, random.below(5) < 3 ? 1 : between(random, 2, VERBS.length), random);
  return restated(drawFacts(random, between(random, 2, 6), [], { people: PEOPLE, verbs }), random, length, encode);
};

/** Up to 21 facts, at times of few people, so that it takes subject and verb together to tell them apart. */
const manyFacts: Example = (random, length, _progress, encode) => {
  const verbs = some(VERBS, pick([1, 2, 4, VERBS.length], random), random);
  const people = random.below(5) < 3 ? PEOPLE : some(PEOPLE, between(random, 4, 24), random);
  const count = Math.min(between(random, 4, 21), people.length * verbs.length);
  return restated(drawFacts(random, count, [], { people, verbs }), random, length, encode);
};

/** A document, a question, and the facts that answer it. */
const questions: Example = (random, length, _progress, encode) => {
  const chain = drawChain(random, between(random, 1, 3));
  const facts = drawFacts(random, between(random, 8, Math.floor((length - 28) / 4)), chain);
  return {
    promptIds: encode(`${facts.map(sentence).join(' ')}\nQ: ${questionOf(chain)}\nA:`),
    responseIds: encode(chain.map(sentence).join(' ')),
  };
};

const mixture: Example = (random, length, progress, encode) => {
  const lesson = pick([questions, questions, questions, manyFacts, manyFacts, manyFacts, manyFacts], random);
  return lesson(random, length, progress, encode);
};

export const LESSONS: readonly Lesson[] = [
  { name: 'repetition', steps: 350, batch: 64, length: 32, example: repetition },
  { name: 'few facts', steps: 150, batch: 64, length: 64, example: fewFacts },
  { name: 'many facts', steps: 250, batch: 32, length: 128, example: manyFacts },
  { name: 'facts and questions', steps: 150, batch: 32, length: 128, example: mixture },
];
