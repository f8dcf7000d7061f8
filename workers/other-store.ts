/** Apart from the check itself, so that naming it does not load the worker's native library. */

/** Runs under way that published to another store than this worker's. */
export class OtherStoreError extends Error {
  override readonly name = 'OtherStoreError';
  constructor(store: string, runs: readonly string[]) {
    super(
      `${runs.join(', ')}: under way, and published to another store than ${store}, where nothing of it is. No work was taken. ` +
        'Start the worker with the store that the other workers have (--store, LONGHAUL_STORE; for a bucket its server too, ' +
        '--endpoint-url), or copy that one first: longhaul store copy FROM TO',
    );
  }
}
