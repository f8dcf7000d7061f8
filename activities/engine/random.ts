/**
 * Random numbers that are a function of their name alone: no state is kept, so no crash can lose or repeat any.
 */
import { createHash } from 'node:crypto';
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plusFromState } from 'pure-rand/generator/xoroshiro128plus';

/** An endless stream of numbers. */
export interface RandomStream {
  /** Uniform over [0, 1) in steps of 2^-53. */
  uniform(): number;
  /** Uniform over the integers 0 … bound - 1. */
  below(bound: number): number;
}

/** The stream of that name, e.g. of [seed, 'phase-1', 'epoch', 3]. Equal names give equal streams. */
export function randomStream(...name: (string | number)[]): RandomStream {
  const hash = createHash('sha256').update(JSON.stringify(name)).digest();
  const state = [0, 4, 8, 12].map(offset => hash.readInt32LE(offset));
  const generator = xoroshiro128plusFromState(state);
  return {
    uniform: () => uniformFloat64(generator),
    below: bound => uniformInt(generator, 0, bound - 1),
  };
}

/** One of the items, each as likely as any other. Throws RangeError when there is none. */
export function pick<T>(items: readonly T[], random: RandomStream): T {
  if (items.length === 0) throw new RangeError('nothing to pick from');
  return items[random.below(items.length)]!;
}

/** A copy in random order. */
export function shuffled<T>(items: readonly T[], random: RandomStream): T[] {
  return permutation(items.length, random).map(k => items[k]!);
}

/** The numbers 0 … length - 1 in random order (Fisher and Yates). */
export function permutation(length: number, random: RandomStream): number[] {
  const order = Array.from({ length }, (_, k) => k);
  for (let last = length - 1; last > 0; last--) {
    const other = random.below(last + 1);
    [order[last], order[other]] = [order[other]!, order[last]!];
  }
  return order;
}

/**
 * Element `cursor` of the endless sequence of epochs 0 … length - 1, each epoch in its own order.
 * @param orderOf the order of an epoch; kept by the caller if it is asked often
 */
export function epochDraw(cursor: number, length: number, orderOf: (epoch: number) => number[]): number {
  return orderOf(Math.floor(cursor / length))[cursor % length]!;
}

/** The numbers 0 … length - 1 in random order, one at a time: for those who need only the first few of many. */
export function* draws(length: number, random: RandomStream): Generator<number, void, void> {
  // Fisher and Yates from the front; only the places that were swapped are kept.
  const moved = new Map<number, number>();
  for (let first = 0; first < length; first++) {
    const other = first + random.below(length - first);
    yield moved.get(other) ?? other;
    moved.set(other, moved.get(first) ?? first);
    moved.delete(first);
  }
}
