/** What goes wrong while a page is made of a store. */
import { CorruptArtifactError, MissingArtifactError } from '../../activities/store/index.js';

/** Something that is asked for is not there. */
export class NotThereError extends Error {
  override readonly name = 'NotThereError';
}

/** A question that has no answer as it is put. */
export class BadRequestError extends Error {
  override readonly name = 'BadRequestError';
}

/** Whether one artifact is at fault, so that a page can be made without it. */
export const isDamage = (error: unknown): error is Error =>
  error instanceof CorruptArtifactError || error instanceof MissingArtifactError;
