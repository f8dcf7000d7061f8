/** The Temporal SDK's own download of the server, given up when the network is dead. */
import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

const POLL_MS = 100;

/**
 * Puts the program into `folder`. The SDK has no call that only downloads: it starts a server from the download, which is
 * stopped at once. Nor has it a time limit: where packets vanish it waits for minutes. So this waits as long as the file
 * grows, however slowly, and at most `patienceMs` while nothing comes.
 * @returns the program's path
 */
export async function downloadWithSdk(folder: string, patienceMs: number): Promise<string> {
  const { TestWorkflowEnvironment } = await import('@temporalio/testing');
  const trial = TestWorkflowEnvironment.createLocal({
    server: { executable: { type: 'cached-download', downloadDir: folder } },
  }).then(server => server.teardown());
  try {
    await unlessStalled(trial, folder, patienceMs);
  } catch (error) {
    // One that was given up still runs in the SDK, and cannot be stopped: what it may leave after all is removed.
    const clean = () => rm(folder, { recursive: true, force: true });
    trial.then(clean, clean);
    // The SDK repeats the whole chain of causes; the last link is the one that says something.
    const message = error instanceof Error ? error.message : String(error);
    throw new Error(`failed (${message.split('): ').at(-1)})`);
  }
  const file = (await finished(folder))[0];
  if (!file) throw new Error('the SDK reported success, but left no program');
  return join(folder, file);
}

/** Ends as `trial` does, or fails once nothing in `folder` has changed for `patienceMs` and no file there is whole. */
async function unlessStalled(trial: Promise<void>, folder: string, patienceMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const stalled = new Promise<never>((_, reject) => {
    let [last, since] = ['', performance.now()];
    const look = async () => {
      if ((await finished(folder)).length > 0) return; // what follows is the server's start, which the SDK bounds
      const now = await sizes(folder);
      if (now !== last) [last, since] = [now, performance.now()];
      if (performance.now() - since < patienceMs) timer = setTimeout(look, POLL_MS);
      else reject(new Error(`nothing came for ${patienceMs / 1000} s`));
    };
    timer = setTimeout(look, POLL_MS);
  });
  try {
    await Promise.race([trial, stalled]);
  } finally {
    clearTimeout(timer);
  }
}

/** The SDK writes to a file called *.downloading and renames it in the end. */
async function finished(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch(() => []);
  return names.filter(name => name.startsWith('temporal') && !name.endsWith('.downloading'));
}

async function sizes(folder: string): Promise<string> {
  const names = await readdir(folder).catch(() => []);
  const all = names.map(async name => `${name} ${(await stat(join(folder, name)).catch(() => null))?.size}`);
  return (await Promise.all(all)).join('\n');
}
