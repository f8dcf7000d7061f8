import { readSource, type Sample, sourceSchema } from '../../../activities/datasets/sources.js';
import { PEOPLE, PERSON_VERBS, PLACE_VERBS, PLACES } from '../../../activities/datasets/vocabulary.js';
import { scoreRule } from '../../../activities/rewards/rules.js';
import { NO_CACHE } from '../../support/no-cache.js';

async function world(options: Record<string, unknown>): Promise<Sample[]> {
  const samples: Sample[] = [];
  for await (const sample of readSource(sourceSchema.parse({ type: 'world', ...options }), NO_CACHE))
    samples.push(sample);
  return samples;
}

const sentences = (sample: Sample): string[] => sample.documents[0]!.text.split(/(?<=\.) /);

/**
 * Reads document and question as plain text, knowing nothing of how they were made: tries every fact at every hop, and
 * returns the set of all answers and the facts that led to them.
 */
function solve(document: string[], question: string): { answers: Set<string>; used: Set<string> } {
  const words = question.slice(0, -1).split(' ');
  const verbs = [words[1]!, ...words.slice(2, -1).filter(w => w !== 'someone' && w !== 'who')];
  let here = new Set([words[0]!]);
  const used = new Set<string>();
  for (const verb of verbs) {
    const next = new Set<string>();
    for (const fact of document) {
      const [subject, factVerb, value] = fact.slice(0, -1).split(' ');
      if (here.has(subject!) && factVerb === verb) {
        next.add(value!);
        used.add(fact);
      }
    }
    here = next;
  }
  return { answers: here, used };
}

const SAMPLES = { seed: 5, count: 120, facts: [12, 40, 120] };

test('every question has exactly one answer in its document, found by brute force', async () => {
  for (const sample of await world(SAMPLES))
    expect([sample.id, [...solve(sentences(sample), sample.question).answers]]).toEqual([sample.id, sample.answers]);
});

test('documents have the number of facts asked for, in turn, and no two about one subject and verb', async () => {
  const samples = await world(SAMPLES);
  expect(samples.slice(0, 4).map(s => sentences(s).length)).toEqual([12, 40, 120, 12]);
  for (const sample of samples) {
    const facts = sentences(sample).map(s => s.slice(0, -1).split(' '));
    expect(new Set(facts.map(f => `${f[0]} ${f[1]}`)).size).toBe(facts.length);
    for (const [subject, verb, value] of facts) {
      expect(PEOPLE).toContain(subject);
      expect(PERSON_VERBS.includes(verb!) ? PEOPLE : PLACES).toContain(value);
      expect([...PERSON_VERBS, ...PLACE_VERBS]).toContain(verb);
    }
  }
});

test('questions take the hops asked for, all of them about equally often, and no fact twice', async () => {
  const samples = await world({ ...SAMPLES, count: 300 });
  const seen = [0, 0, 0, 0];
  for (const sample of samples) {
    const hops = solve(sentences(sample), sample.question).used.size;
    expect(sample.id).toContain(`/h${hops}`);
    seen[hops]!++;
  }
  for (const hops of [1, 2, 3]) expect(seen[hops]).toBeGreaterThan(70);
  for (const sample of await world({ ...SAMPLES, hops: [2] })) expect(sample.id).toMatch(/h2$/);
});

test('taking distractors away never changes the answer, taking a fact of the chain away always does', async () => {
  for (const sample of await world({ ...SAMPLES, count: 30 })) {
    const all = sentences(sample);
    const { used } = solve(all, sample.question);
    expect([...solve([...used], sample.question).answers]).toEqual(sample.answers);
    for (const fact of used)
      expect(
        solve(
          all.filter(s => s !== fact),
          sample.question,
        ).answers.size,
      ).toBe(0);
  }
});

test('the trace is the chain, each fact from the document, and scores 1 under the rule', async () => {
  for (const sample of await world(SAMPLES)) {
    const steps = sample.trace!.split(/(?<=\.) /);
    expect(new Set(steps.slice(0, -1))).toEqual(solve(sentences(sample), sample.question).used);
    expect(scoreRule('hardened', sample.task, sample.trace!, sample.answers).score).toBe(1);
  }
});

test('the same seed gives the same samples, another seed none of them', async () => {
  const first = await world(SAMPLES);
  expect(await world(SAMPLES)).toEqual(first);
  expect((await world({ ...SAMPLES, count: 7 })).map(s => s.id)).toEqual(first.slice(0, 7).map(s => s.id));
  const texts = new Set(first.map(s => s.documents[0]!.text));
  for (const sample of await world({ ...SAMPLES, seed: 6 })) expect(texts.has(sample.documents[0]!.text)).toBe(false);
});
