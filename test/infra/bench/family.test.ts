import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { familyOf, watchMemory } from '../../../infra/bench/family';
import { familyTime, processorTime } from '../../../infra/bench/process-usage';

const onLinux = process.platform === 'linux' ? test : test.skip;

/** A process with a child that says its id, and sleeps. */
const parent = (child: string) =>
  `const { spawn } = require('node:child_process');
   const child = spawn(process.execPath, ['-e', ${JSON.stringify(child)}], { stdio: 'inherit' });
   child.on('exit', () => console.log('gone'));
   setInterval(() => {}, 1e6);`;

async function start(child: string) {
  const root = spawn(process.execPath, ['-e', parent(child)]);
  const [line] = await once(root.stdout, 'data');
  return { root, said: String(line).trim() };
}

onLinux('a family is a process, those it started, and those they did', async () => {
  const { root, said } = await start('console.log(process.pid); setInterval(() => {}, 1e6)');
  try {
    expect(familyOf(root.pid!)).toEqual([root.pid, Number(said)]);
    expect(familyOf(process.pid)).toEqual(expect.arrayContaining([process.pid, root.pid, Number(said)]));
    expect(familyOf(Number(said))).toEqual([Number(said)]);
  } finally {
    process.kill(Number(said));
    root.kill();
  }
});

onLinux('its memory is the sum of what each had at most, also of those that are gone', async () => {
  const watching = 96 * 2 ** 20;
  const { root, said } = await start(
    `globalThis.held = Buffer.alloc(${watching}, 1); console.log(process.pid); setInterval(() => {}, 1e6)`,
  );
  try {
    const memory = watchMemory(root.pid!);
    process.kill(Number(said));
    await once(root.stdout, 'data'); // "gone"
    const alone = watchMemory(root.pid!)()!;
    expect(memory()! - alone).toBeGreaterThan(watching);
  } finally {
    root.kill();
  }
});

onLinux('its time counts processes that have ended', async () => {
  const { root, said } = await start(
    'console.log(process.pid); const end = Date.now() + 500; while (Date.now() < end); process.exit()',
  );
  try {
    expect(Number(said)).toBeGreaterThan(0);
    await once(root.stdout, 'data'); // "gone"
    expect(familyTime(root.pid!)! - processorTime(root.pid!)!).toBeGreaterThan(0.1);
  } finally {
    root.kill();
  }
});
