/** How an engine fails. */

/** The engine's child process ended or broke while it was at work; the policy in memory is gone. Worth a retry. */
export class EngineLostError extends Error {
  override readonly name = 'EngineLostError';
}

/** The request cannot be served, now or later (bad model folder, prompt too long, NaN loss, …). Not worth a retry. */
export class EngineRequestError extends Error {
  override readonly name = 'EngineRequestError';
  constructor(
    message: string,
    readonly code:
      | 'bad-model'
      | 'bad-request'
      | 'not-loaded'
      | 'not-finite'
      | 'unsupported'
      | 'out-of-memory'
      /** Disk or file system: full, away, out of handles. Worth a retry. */
      | 'storage'
      /** What a saved folder names is gone from the training service that kept it. */
      | 'gone'
      | 'internal' = 'bad-request',
  ) {
    super(message);
  }
}
