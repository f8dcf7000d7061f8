/** Counting and comparison over several texts: in how many of them a name is mentioned, and which of two in more. */
import { pick, type RandomStream, shuffled } from '../../engine/random.js';
import { conclusion } from '../multihop.js';
import type { Document } from '../sample.js';
import type { Family } from './family.js';
import { mentions, namesOf } from './paragraphs.js';

interface Name {
  name: string;
  /** Places of the texts that mention it. */
  places: number[];
}

/** Names that some of the texts mention and not all, in the order met: neither none nor all is a guess worth making. */
function telling(texts: readonly Document[]): Name[] {
  const names = [...new Set(texts.flatMap(({ text }) => namesOf(text)))];
  return names
    .map(name => ({ name, places: texts.flatMap(({ text }, k) => (mentions(text, name) ? [k] : [])) }))
    .filter(({ places }) => places.length < texts.length);
}

/** Each count as likely as any other that there is, so that the commonest is no better guess. */
function byCount(names: readonly Name[], random: RandomStream): Name | null {
  const counts = [...new Set(names.map(({ places }) => places.length))].sort((a, b) => a - b);
  if (counts.length < 2) return null;
  const count = pick(counts, random);
  return pick(
    names.filter(({ places }) => places.length === count),
    random,
  );
}

const listed = ({ name, places }: Name): string =>
  `"${name}" stands in ${places.length === 1 ? 'document' : 'documents'} ${places.map(k => k + 1).join(', ')}.`;

export const count: Family = {
  about: 'several',
  question(texts, random) {
    const name = byCount(telling(texts), random);
    if (!name) return null;
    const answer = String(name.places.length);
    return {
      question: `In how many of the documents does the word "${name.name}" stand? Answer with a number.`,
      documents: [...texts],
      answers: [answer],
      task: 'docmath',
      trace: `${listed(name)} ${conclusion(answer)}`,
      evidence: name.places,
    };
  },
};

export const compare: Family = {
  about: 'several',
  question(texts, random) {
    const names = telling(texts);
    const first = byCount(names, random);
    const others = names.filter(({ places }) => places.length !== first?.places.length);
    if (!first || others.length === 0) return null;
    const second = pick(others, random);
    const [a, b] = shuffled([first, second], random) as [Name, Name];
    const more = a.places.length > b.places.length ? a : b;
    return {
      question: `Which of the two words stands in more of the documents, "${a.name}" or "${b.name}"? Answer with the word.`,
      documents: [...texts],
      answers: [more.name],
      task: 'docqa',
      trace: `${listed(a)} ${listed(b)} ${conclusion(more.name)}`,
      evidence: [...new Set([...a.places, ...b.places])].sort((x, y) => x - y),
    };
  },
};
