/** One set-up at a time: a second one waits for the first. Plain JavaScript, for the set-up needs it before the build. */

const fs = require('node:fs');
const path = require('node:path');

const POLL_MS = 200;

/**
 * Runs `work` while holding the lock file, which holds the owner's process id. A lock whose owner is gone is taken over.
 * @param {string} file
 * @param {(line: string) => void} say
 * @param {() => Promise<void>} work
 */
async function withLock(file, say, work) {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  let told = false;
  while (!acquire(file)) {
    if (!told) say(`waiting for another set-up of this checkout (process ${owner(file) ?? 'just ended'})`);
    told = true;
    await new Promise(resolve => setTimeout(resolve, POLL_MS));
  }
  const release = () => fs.rmSync(file, { force: true });
  process.once('exit', release);
  try {
    await work();
  } finally {
    process.removeListener('exit', release);
    release();
  }
}

/** True when this process now holds the lock. */
function acquire(file) {
  const mine = `${file}.${process.pid}`;
  fs.writeFileSync(mine, String(process.pid));
  try {
    fs.linkSync(mine, file); // creates the lock with its content in one go, or fails because there is one
    return true;
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
    const pid = owner(file);
    if (pid !== null && !alive(pid)) removeStale(file, pid);
    return false;
  } finally {
    fs.rmSync(mine, { force: true });
  }
}

/** Moves the lock aside and looks again, for someone else may have removed the stale lock and taken a new one meanwhile. */
function removeStale(file, pid) {
  const aside = `${file}.stale-${process.pid}`;
  try {
    fs.renameSync(file, aside);
    if (owner(aside) !== pid) fs.linkSync(aside, file);
  } catch (error) {
    if (error.code !== 'ENOENT' && error.code !== 'EEXIST') throw error;
  } finally {
    fs.rmSync(aside, { force: true });
  }
}

function owner(file) {
  try {
    const pid = Number(fs.readFileSync(file, 'utf8'));
    return Number.isInteger(pid) && pid > 0 ? pid : null;
  } catch {
    return null;
  }
}

function alive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

module.exports = { withLock };
