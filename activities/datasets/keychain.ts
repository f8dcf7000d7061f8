/**
 * KeyChain (LoongRL, arXiv 2510.19363): the question is hidden in the documents. Pairs {"key": "value"} of UUIDs are scattered
 * over them; they form chains, each ending in a question, and the prompt says only with which key to start. The other chains
 * lead to questions of other samples. Everything is a function of (seed, sample id, options) and the questions there are.
 */
import { draws, pick, type RandomStream, randomStream, shuffled } from '../engine/random.js';
import { answerGiven } from './document-pool.js';
import { normalizedText } from './normalized-text.js';
import { DataError } from './records.js';
import type { Document, Sample } from './sample.js';

export interface KeychainOptions {
  /** Chains beside the true one. */
  chains: number;
  /** Keys of each chain. */
  length: number;
  seed: number;
}

export interface Keychain {
  /** Every chain's pairs: key and what it leads to. */
  chains: [key: string, value: string][][];
  /** First key of the true chain, which is the first of `chains`. */
  start: string;
}

/**
 * The sample's chains.
 * @param questions of the whole source; those that are the sample's own or give its answer lead nowhere
 * @throws DataError where there are fewer others than chains
 */
export function keychainFor(sample: Sample, options: KeychainOptions, questions: readonly string[]): Keychain {
  const { chains, length, seed } = options;
  const others = otherQuestions(sample, options, questions);
  if (others.length < chains) {
    throw new DataError(
      `keychain: expected questions of other samples for ${chains} chains beside that of ${JSON.stringify(sample.id)}, ` +
        `found ${others.length} that do not give its answer: set fewer chains, or take a source with more questions`,
    );
  }
  const random = randomStream('keychain', seed, sample.id, chains, length);
  const known = new Set<string>();
  const built = [sample.question, ...others].map(question => {
    const keys = Array.from({ length }, () => newKey(random, known));
    return keys.map((key, k): [string, string] => [key, keys[k + 1] ?? question]);
  });
  return { chains: built, start: built[0]![0]![0] };
}

/** The sample as it is asked: the pairs scattered over its documents, the question replaced by where to start. */
export function hiddenByKeychain(sample: Sample, keychain: Keychain, { seed }: { seed: number }): Sample {
  const random = randomStream('keychain', seed, sample.id, 'places', sample.documents.length);
  const pairs = shuffled(keychain.chains.flat(), random).map(pairText);
  return {
    ...sample,
    question: instruction(keychain.start),
    documents: scattered(sample.documents, pairs, random),
    trace: sample.trace === null ? null : `${walked(keychain.chains[0]!)} ${sample.trace}`,
    original: { question: sample.question, documents: sample.documents },
  };
}

const pairText = ([key, value]: [string, string]): string => JSON.stringify({ [key]: value }).replace('":"', '": "');

const instruction = (start: string): string =>
  `The text holds pairs {"key": "value"} that form chains: a value may be the key of another pair. Start at the key "${start}" ` +
  'and follow its chain until a value is a question. Answer that question; the other questions do not matter.';

/** The reasoning that finds the question, as it stands before the answer's own. */
const walked = (chain: readonly [string, string][]): string =>
  `Start at ${chain[0]![0]}. ${chain
    .map(([, value], k) => (k < chain.length - 1 ? `It leads to ${value}.` : `It leads to the question: ${value}`))
    .join(' ')}`;

function otherQuestions(sample: Sample, { chains, seed }: KeychainOptions, questions: readonly string[]): string[] {
  const own = normalizedText(sample.question);
  const givesAnswer = answerGiven(sample);
  const found: string[] = [];
  if (chains === 0) return found;
  for (const index of draws(questions.length, randomStream('keychain', seed, sample.id, 'questions'))) {
    const question = questions[index]!;
    if (normalizedText(question) === own || givesAnswer(question)) continue;
    if (found.push(question) === chains) break;
  }
  return found;
}

/** A UUID (version 4) that no other key of the sample is. */
function newKey(random: RandomStream, known: Set<string>): string {
  const digit = () => random.below(16).toString(16);
  for (;;) {
    const key = 'xxxxxxxx-xxxx-4xxx-yxxx-xxxxxxxxxxxx'.replace(/[xy]/g, c =>
      c === 'x' ? digit() : pick(['8', '9', 'a', 'b'], random),
    );
    if (known.has(key)) continue;
    known.add(key);
    return key;
  }
}

/** Ends of sentences and lines, with the white space after them. */
const BREAKS = /(?:[.!?]["')\]]*\s+|[。！？]|\n\s*)/gu;

/** The documents with each pair between two sentences, at the beginning or at the end of one of them, every place as likely. */
function scattered(documents: readonly Document[], pairs: readonly string[], random: RandomStream): Document[] {
  if (documents.length === 0) return [{ title: null, text: pairs.join('\n') }];
  const places = documents.flatMap(({ text }, document) => {
    const inside = [...text.matchAll(BREAKS)].map(match => match.index + match[0].length);
    return [...new Set([0, ...inside, text.length])].map(at => ({ document, at }));
  });
  const put = documents.map(() => [] as { at: number; pair: string }[]);
  for (const pair of pairs) {
    const { document, at } = pick(places, random);
    put[document]!.push({ at, pair });
  }
  return documents.map(({ title, text }, k) => ({ title, text: withPairs(text, put[k]!) }));
}

function withPairs(text: string, put: { at: number; pair: string }[]): string {
  let from = 0;
  let written = '';
  for (const { at, pair } of put.sort((a, b) => a.at - b.at)) {
    const before = text.slice(from, at);
    written += before;
    if (written !== '' && !/\s$/.test(written)) written += ' ';
    written += pair;
    from = at;
    if (at < text.length) written += ' ';
  }
  return written + text.slice(from);
}
