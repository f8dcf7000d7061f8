/**
 * A full disk, as every process that writes to the store meets it: writing beyond so many bytes to any file fails. Done
 * with the limit on file sizes (RLIMIT_FSIZE), which needs no rights and no disk of its own; the error is EFBIG where a
 * disk's is ENOSPC and a quota's EDQUOT, and files break off in the middle as they do there.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { between, type FaultKind, later } from './fault.js';

export const fillDisk: FaultKind = async ({ cluster }, fault) => {
  const pids = (await Promise.all(cluster.workers.map(worker => cluster.processesOf(worker)))).flat();
  // Nothing more at all, or small files still: then it is the checkpoints that break off.
  const bytes = fault.target < 0.5 ? 0 : 64 * 1024;
  await Promise.all(pids.map(pid => limit(pid, String(bytes))));
  const seconds = between(2, 6, fault);
  return {
    what: `${bytes === 0 ? 'nothing' : 'nothing over 64 KiB'} can be written, for ${seconds.toFixed(1)} s`,
    over: later(seconds, async () => {
      await Promise.all(pids.map(pid => limit(pid, 'unlimited')));
    }),
  };
};

/** The soft limit alone, which may be raised again. A process that has ended meanwhile needs none. */
async function limit(pid: number, bytes: string): Promise<void> {
  await promisify(execFile)('prlimit', ['--pid', String(pid), `--fsize=${bytes}:`]).catch((error: Error) => {
    if (!/No such process|failed to get/.test(error.message)) throw error;
  });
}
