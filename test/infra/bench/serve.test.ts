/** A Node program's side of the conversation, held against peer.ts's; the program is compiled, as `npm test` has built it. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startPeer } from '../../../infra/bench/peer';

const SERVE = join(__dirname, '../../../dist/infra/bench/serve.js');

describe('serve', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'longhaul-bench-test-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  async function start(prepare: string) {
    const program = join(folder, 'program.js');
    await writeFile(program, `require(${JSON.stringify(SERVE)}).serve(${prepare});`);
    return startPeer({ title: 'A program', command: [process.execPath, program], threads: 1 }, { gradNorm: 3 });
  }

  test('counts the seconds of a turn, and adds what it is told', async () => {
    const side = await start(`async ({ gradNorm }) => ({
      versions: { program: '1' },
      perform: async () => { await new Promise(done => setTimeout(done, 60)); return { gradNorm }; },
    })`);
    expect(side.versions).toEqual({ program: '1' });
    const turn = await side.repeat();
    expect(turn.gradNorm).toBe(3);
    expect(turn.seconds).toBeGreaterThan(0.05);
    await side.close();
  });

  test('leaves the seconds to work that counts them itself', async () => {
    const side = await start(`async () => ({ versions: {}, perform: async () => ({ seconds: 42 }) })`);
    expect(await side.repeat()).toEqual({ seconds: 42 });
    await side.close();
  });

  test('ends with the words of what failed', async () => {
    const side = await start(`async () => ({ versions: {}, perform: async () => { throw new Error('no weights') } })`);
    await expect(side.repeat()).rejects.toThrow(/code 1:.*no weights/s);
  });

  test('ends in the midst of work when there is nobody to work for', async () => {
    const side = await start(`async () => ({
      versions: {},
      perform: () => new Promise(() => setInterval(() => {}, 1e6)),
    })`);
    side.repeat().catch(() => {});
    const closing = performance.now();
    await side.close();
    expect(performance.now() - closing).toBeLessThan(4000); // sooner than it would be killed
  });
});
