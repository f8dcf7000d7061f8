/** Errors of disks and file systems that pass, or that somebody makes pass: tried again, not given up. */

const TROUBLES: Record<string, string> = {
  ENOSPC: 'the disk is full: make room',
  EDQUOT: 'the disk quota is used up: raise it or make room',
  EFBIG: 'a file may not grow so large (ulimit -f, or the file system): raise the limit',
  EIO: 'the disk reports an error',
  EROFS: 'the file system is read-only',
  ESTOREAWAY: 'the store is away: mount it again, or bring its server back, or start the worker with the right --store',
  ESTALE: 'the network file system has lost the file',
  ETIMEDOUT: 'the network file system does not answer',
  EMFILE: 'too many files are open (ulimit -n): raise the limit',
  ENFILE: 'too many files are open on this machine',
};

/** What is wrong and what to do; null for any other error. */
export function storageTrouble(error: unknown): string | null {
  const code = typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : '';
  const trouble = TROUBLES[code];
  return trouble ? `${trouble} (${error instanceof Error ? error.message : code})` : null;
}
