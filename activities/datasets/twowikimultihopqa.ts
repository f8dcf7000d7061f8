/**
 * 2WikiMultihopQA (Ho et al. 2020): HotpotQA's layout, and the facts that lead to the answer as triples of Wikidata,
 * evidences: [[subject, relation, object], …]; on the Hub {fact: [], relation: [], entity: []}, or the lists as JSON text. The
 * test set has none.
 */
import { z } from 'zod';
import { formatOf, layout, supportingSentences, tuples } from './hotpotqa.js';

type Fact = [subject: string, relation: string, object: string];

const fact = z.tuple([z.string(), z.string(), z.string()]);
const recordSchema = z.object({
  ...layout,
  evidences: tuples(fact, [['fact'], ['relation'], ['entity']]).default([]),
});

/** Most relations are nouns: "The director of … is …". These are not. */
const VERBS: Record<string, string> = {
  'educated at': 'was educated at',
  'followed by': 'was followed by',
  'founded by': 'was founded by',
  'has part': 'has as a part',
  'replaced by': 'was replaced by',
  'student of': 'was a student of',
};

const sentence = ([subject, relation, object]: Fact): string =>
  Object.hasOwn(VERBS, relation)
    ? `${subject} ${VERBS[relation]} ${object}.`
    : `The ${relation} of ${subject} is ${object}.`;

/**
 * Traces are the facts in the order the record names them, for they say what the answer follows from, and are short; the
 * supporting sentences where there are none.
 */
export const twoWikiMultihopQa = formatOf(recordSchema, record =>
  record.evidences.length > 0 ? record.evidences.map(sentence).join(' ') : supportingSentences(record),
);
