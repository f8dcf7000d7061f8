/** A step that was made again came out further from the log than its engine promises. */
export class OutOfToleranceError extends Error {
  override readonly name = 'OutOfToleranceError';
  /** @param difference the largest, in words */
  constructor(uri: string, difference: string, tolerance: number) {
    super(
      `${uri} was made again and came out otherwise: ${difference}, where at most ${tolerance} was promised. Is it another ` +
        'service, another model of the same name there, or another state of it? Restore the one that made the step, or ' +
        'replay the phase.',
    );
  }
}
