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
