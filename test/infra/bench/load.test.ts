import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { watchLoad } from '../../../infra/bench/load';

const onLinux = process.platform === 'linux' ? test : test.skip;

/** A process that keeps a core busy, or sleeps. */
async function start(busy: boolean) {
  const child = spawn(process.execPath, ['-e', `console.log(1); ${busy ? 'for (;;);' : 'setInterval(() => {}, 1e6)'}`]);
  await once(child.stdout, 'data');
  return child;
}

onLinux('a process that works out of turn is told from one that sleeps, and from strangers', async () => {
  const [busy, asleep] = [await start(true), await start(false)];
  try {
    await sleep(200); // what their start still costs
    const knowing = watchLoad([busy.pid!, asleep.pid!, process.pid], 2);
    const unknowing = watchLoad([asleep.pid!], 0);
    await sleep(600);
    const [known, unknown] = [knowing(), unknowing()];
    expect(known.idle[0]).toBeGreaterThan(0.2); // the machine may have other work
    expect(known.idle[1]).toBeLessThan(0.1);
    expect(known.idle[2]).toBeNull();
    expect(unknown.foreign! - known.foreign!).toBeGreaterThan(0.15);
  } finally {
    busy.kill();
    asleep.kill();
  }
});
