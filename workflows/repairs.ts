/**
 * What becomes of a run when something in the store turns out damaged: it goes through its stages again from the
 * beginning. Everything that is whole is found in its place at once; what is not is made again by the activity that made
 * it, to the same bits.
 */
import { ApplicationFailure, log } from '@temporalio/workflow';

/** The name of the store's error, which says that an artifact is damaged; its first detail is the uri. */
const DAMAGED = 'CorruptArtifactError';
/** What is damaged so often is not mended by making it again. */
const TRIES = 3;

export class Repairs {
  private readonly tries = new Map<string, number>();

  /** Whether the failure is a damage that going through the stages again may mend. */
  mayMend(error: unknown): boolean {
    const uri = damagedArtifact(error);
    return uri !== null && (this.tries.get(uri) ?? 0) < TRIES;
  }

  /** Notes that it is tried. */
  begin(error: unknown): void {
    const uri = damagedArtifact(error) ?? 'nothing';
    this.tries.set(uri, (this.tries.get(uri) ?? 0) + 1);
    log.warn(`${uri} is damaged: it, and what is missing after it, is made again`);
  }
}

/** The uri of the damaged artifact that a failure comes from; null for any other failure. */
export function damagedArtifact(error: unknown): string | null {
  for (let at = error; at instanceof Error; at = at.cause) {
    if (at instanceof ApplicationFailure && at.type === DAMAGED) return String(at.details?.[0] ?? at.message);
  }
  return null;
}
