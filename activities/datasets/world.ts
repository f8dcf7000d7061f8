/**
 * The tiny world: documents of generated facts ("Maria trusts Ivan. Ivan visits Oslo.") and questions that take one to
 * three of them ("Maria trusts someone who visits where?"). Every other fact is a distractor; their number sets the length.
 */
import { z } from 'zod';
import { pick, type RandomStream, randomStream, shuffled } from '../engine/random.js';
import { conclusion } from './multihop.js';
import type { Sample } from './sample.js';
import { PEOPLE, PERSON_VERBS, PLACE_VERBS, PLACES } from './vocabulary.js';

const MAX_HOPS = 3;
const VERBS = [...PERSON_VERBS, ...PLACE_VERBS];
/** Half of all pairs (person, verb): drawing distinct ones stays quick, and a document never knows everything. */
const MAX_FACTS = (PEOPLE.length * VERBS.length) / 2;

export const worldOptions = {
  seed: z
    .int()
    .min(0)
    .describe('Sources of different seeds share no document: training, warm-up and evaluation each take their own.'),
  count: z.int().positive().meta({ unit: 'questions', description: 'Questions in all.' }),
  facts: z.array(z.int().min(MAX_HOPS).max(MAX_FACTS)).min(1).meta({
    unit: 'facts',
    description: 'Facts of the documents, taken in turn; four tokens each in the tiny model’s vocabulary.',
  }),
  hops: z
    .array(z.int().min(1).max(MAX_HOPS))
    .min(1)
    .default([1, 2, 3])
    .meta({ unit: 'facts', description: 'Facts that a question takes, drawn evenly from these.' }),
};

export interface WorldOptions {
  seed: number;
  count: number;
  facts: number[];
  hops: number[];
}

/** `value` is a person or a place, by the verb. */
export interface Fact {
  subject: string;
  verb: string;
  value: string;
}

/** Question i depends on (seed, i) and the options alone; its id says both, with its facts and hops. */
export async function* readWorld(options: WorldOptions): AsyncGenerator<Sample> {
  for (let i = 0; i < options.count; i++) {
    const random = randomStream('world', options.seed, i);
    const count = options.facts[i % options.facts.length]!;
    const chain = drawChain(random, pick(options.hops, random));
    const answer = chain.at(-1)!.value;
    yield {
      id: `world-${options.seed}-${i}/f${count}/h${chain.length}`,
      question: questionOf(chain),
      documents: [{ title: null, text: drawFacts(random, count, chain).map(sentence).join(' ') }],
      answers: [answer],
      task: 'docqa',
      evidence: null,
      trace: `${chain.map(sentence).join(' ')} ${conclusion(answer)}`,
    };
  }
}

export const sentence = ({ subject, verb, value }: Fact): string => `${subject} ${verb} ${value}.`;

/** `count` facts in random order, no two of them about the same subject and verb, `given` ones among them. */
export function drawFacts(
  random: RandomStream,
  count: number,
  given: readonly Fact[] = [],
  { people, verbs }: { people: readonly string[]; verbs: readonly string[] } = { people: PEOPLE, verbs: VERBS },
): Fact[] {
  const facts = [...given];
  const known = new Set(facts.map(f => `${f.subject} ${f.verb}`));
  while (facts.length < count) {
    const subject = pick(people, random);
    const verb = pick(verbs, random);
    if (known.has(`${subject} ${verb}`)) continue;
    known.add(`${subject} ${verb}`);
    facts.push({ subject, verb, value: pick(PLACE_VERBS.includes(verb) ? PLACES : PEOPLE, random) });
  }
  return shuffled(facts, random);
}

/** Facts that each begin where the one before ends, over different people; the last may lead to a place. */
export function drawChain(random: RandomStream, hops: number): Fact[] {
  const people = shuffled(PEOPLE, random);
  return Array.from({ length: hops }, (_, i) => {
    const subject = people[i]!;
    return i === hops - 1 && random.below(2) === 0
      ? { subject, verb: pick(PLACE_VERBS, random), value: pick(PLACES, random) }
      : { subject, verb: pick(PERSON_VERBS, random), value: people[i + 1]! };
  });
}

/** "Maria trusts someone who visits where?": the first subject, then every verb, then what is asked for. */
export function questionOf(chain: readonly Fact[]): string {
  const verbs = chain.map(f => f.verb).join(' someone who ');
  return `${chain[0]!.subject} ${verbs} ${PLACE_VERBS.includes(chain.at(-1)!.verb) ? 'where' : 'whom'}?`;
}
