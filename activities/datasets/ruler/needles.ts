/** Needles in a haystack: numbers that belong to words, hidden among other sentences; and values handed on from name to name. */
import { type RandomStream, shuffled } from '../../engine/random.js';
import { hidden, type LongTask, type Made, number, words } from './task.js';

/** Keys or values that the harder tasks ask for, and chains that lead elsewhere. */
const SEVERAL = 4;

const needle = (key: string, value: string): string => `The number of ${key} is ${value}.`;

interface Needles {
  /** How many keys are asked for, how many numbers each has, and how many other keys there are, in all or for each filler. */
  asked: number;
  each: number;
  others: number | 'everywhere';
}

/** @param count how the question is put, by the keys that are asked for */
function needles({ asked, each, others }: Needles, question: (keys: string[]) => string): LongTask {
  return {
    make(length, random) {
      const everywhere = others === 'everywhere';
      const keys = words(asked + (everywhere ? length : others), random('keys'));
      const values = random('values');
      const pairs = keys.map(
        (key, k) => [key, Array.from({ length: k < asked ? each : 1 }, () => number(values))] as const,
      );
      const own = pairs.slice(0, asked).flatMap(([key, of]) => of.map(value => needle(key, value)));
      const rest = pairs.slice(asked).flatMap(([key, of]) => of.map(value => needle(key, value)));
      const order = random('order');
      return {
        text: everywhere
          ? shuffled([...own, ...rest], order).join(' ')
          : hidden(inOrder(own, rest, order), length, random),
        question: question(keys.slice(0, asked)),
        answers: pairs.slice(0, asked).flatMap(([, of]) => of),
        reasoning: own.join(' '),
      } satisfies Made;
    },
  };
}

/** Own ones keep their order, which is the answer's. */
function inOrder(own: readonly string[], rest: readonly string[], random: RandomStream): string[] {
  const isOwn = shuffled([...own.map(() => true), ...rest.map(() => false)], random);
  const [left, others] = [[...own], [...rest]];
  return isOwn.map(own => (own ? left : others).shift()!);
}

const ofOne = ([key]: string[]): string => `What is the number of ${key}?`;

export const single = needles({ asked: 1, each: 1, others: 0 }, ofOne);
export const multikey = needles({ asked: 1, each: 1, others: SEVERAL - 1 }, ofOne);
export const haystack = needles({ asked: 1, each: 1, others: 'everywhere' }, ofOne);
export const multivalue = needles(
  { asked: 1, each: SEVERAL, others: 0 },
  ([key]) => `What are all the numbers of ${key}, in the order of the text, separated by commas?`,
);
export const multiquery = needles(
  { asked: SEVERAL, each: 1, others: 0 },
  keys =>
    `What are the numbers of ${keys.slice(0, -1).join(', ')} and ${keys.at(-1)}, in this order, separated by commas?`,
);

const HOPS = 4;

/** RULER's variable tracking: every name of the first chain has its value, which only the first name is given. */
export const variables: LongTask = {
  make(length, random) {
    const names = words(HOPS * SEVERAL, random('keys'));
    const values = random('values');
    const chains = Array.from({ length: SEVERAL }, (_, c) => {
      const of = names.slice(c * HOPS, (c + 1) * HOPS);
      const value = number(values);
      return { of, value, lines: of.map((name, k) => `Let ${name} be ${k === 0 ? value : of[k - 1]}.`) };
    });
    const [first, ...others] = chains as [(typeof chains)[0], ...typeof chains];
    const order = random('order');
    // Each chain in its own order, so that a name is given before it is handed on.
    const turns = shuffled(
      chains.flatMap((_, c) => Array.from({ length: HOPS }, () => c)),
      order,
    );
    const left = [first, ...others].map(({ lines }) => [...lines]);
    return {
      text: hidden(
        turns.map(c => left[c]!.shift()!),
        length,
        random,
      ),
      question: `Which names stand for ${first.value}? Answer with all ${HOPS}, in the order in which they are given, separated by commas.`,
      answers: first.of,
      reasoning: first.lines.join(' '),
    };
  },
};
