/** Things that are asked for over a network: several at once, as it is the way there and back that takes the time. */

const AT_ONCE = 16;

/** What each item leads to, in their order, several being asked for at once; without those that lead to nothing. */
export async function* inTurn<T, R>(
  items: readonly T[],
  use: (item: T) => Promise<R | null>,
  atOnce = AT_ONCE,
): AsyncGenerator<R> {
  for (let k = 0; k < items.length; k += atOnce)
    for (const found of await Promise.all(items.slice(k, k + atOnce).map(use))) if (found !== null) yield found;
}

/**
 * Uses items, so many at once, each taken only when there is room for it. After a failure none is begun any more, and the
 * failure is thrown once those under way have ended: what they hold may then be closed.
 */
export async function inParallel<T>(
  items: Iterable<T> | AsyncIterable<T>,
  concurrency: number,
  use: (item: T) => Promise<void>,
): Promise<void> {
  const iterator = (async function* () {
    yield* items;
  })();
  let failed = false;
  const worker = async () => {
    while (!failed) {
      try {
        const { done, value } = await iterator.next();
        if (done) return;
        await use(value);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  const ended = await Promise.allSettled(Array.from({ length: concurrency }, worker));
  for (const outcome of ended) if (outcome.status === 'rejected') throw outcome.reason;
}
