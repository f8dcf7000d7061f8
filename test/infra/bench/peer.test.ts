/** Speaking with a peer's process: a few lines of Node stand in for it. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startPeer } from '../../../infra/bench/peer';
import { UnavailableError } from '../../../infra/bench/side';
import { assign } from '../../../infra/bench/work';

const assignment = assign({ kind: 'training', model: '128x2', batch: 2, length: 4 }, '/model', 512, 2);

describe('a peer', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'longhaul-bench-test-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  /** A peer that answers each line by `answer(message, number of the line)`. */
  async function start(answer: string) {
    const script = join(folder, 'peer.js');
    await writeFile(
      script,
      `const answer = ${answer};
       console.log('libraries print what they like');
       let n = 0;
       require('node:readline').createInterface({ input: process.stdin }).on('line', line => {
         const reply = answer(JSON.parse(line), n++);
         if (reply) require('node:fs').writeSync(3, JSON.stringify(reply) + '\\n');
       });`,
    );
    return startPeer({ title: 'A peer', command: [process.execPath, script], threads: 2 }, assignment);
  }

  test('is given its assignment, then its turns', async () => {
    const side = await start(`(m, n) => n === 0
      ? { ready: { threads: process.env.OMP_NUM_THREADS, batch: String(m.tokens.sequences.length) } }
      : { seconds: n, gradNorm: 5 }`);
    expect(side.versions).toEqual({ threads: '2', batch: '2' });
    expect(await side.repeat()).toEqual({ seconds: 1, gradNorm: 5 });
    expect(await side.repeat()).toEqual({ seconds: 2, gradNorm: 5 });
    await side.close();
    expect(() => process.kill(side.pid, 0)).toThrow();
  });

  test('that does not end by itself is ended', async () => {
    const side = await start(`() => {
      setInterval(() => {}, 1e6); // more to do than to read
      return { ready: {} };
    }`);
    await side.close();
    expect(() => process.kill(side.pid, 0)).toThrow();
  });

  test('that cannot work here is told from one that fails', async () => {
    await expect(start(`() => ({ unavailable: 'no compiler' })`)).rejects.toThrow(UnavailableError);
  });

  test('that ends is quoted', async () => {
    const ending = `() => { console.error('out of memory'); process.exit(3); }`;
    await expect(start(ending)).rejects.toThrow(/A peer ended with code 3:\n.*out of memory/s);
  });

  test('that ends between two turns is quoted at the next', async () => {
    const side = await start(`() => {
      setTimeout(() => { console.error('gone'); process.exit(4); }, 50);
      return { ready: {} };
    }`);
    await new Promise(resolve => setTimeout(resolve, 300));
    await expect(side.repeat()).rejects.toThrow(/code 4:.*\ngone/s);
    await side.close();
  });
});
