/** A server that must not be used: artifacts would be lost or changed on it. */
export class UnfitBucketError extends Error {
  override readonly name = 'UnfitBucketError';
  constructor(root: string, promise: string, found: string) {
    super(
      `${root} cannot hold a store: its server breaks the promise that ${promise} (${found}). ` +
        'Use a server with conditional writes, or a folder that all workers share.',
    );
  }
}
