/** Whole runs of a build, whose command is a stand-in; the program is compiled, as `npm test` has built it. */
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { startWholeRun } from '../../../../infra/bench/whole/side';

const PROGRAM = join(__dirname, '../../../../dist/infra/bench/whole/program.js');

describe('a whole run', () => {
  let build: string;
  beforeEach(async () => {
    build = await mkdtemp(join(tmpdir(), 'longhaul-bench-test-'));
  });
  afterEach(() => rm(build, { recursive: true }));

  /** The build's command stands in: it says what it was asked, and does as told. */
  async function command(text: string) {
    const path = join(build, 'infra', 'bin', 'longhaul.js');
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text);
  }
  const start = () => startWholeRun({ preset: 'tiny', set: ['seed=2'] }, { build, threads: 2, program: PROGRAM });

  test("is one of the build's own command, on a store of its own, and tells its time, its weights and its memory", async () => {
    const asked = join(build, 'asked');
    await command(`
      const [verb, preset, , setting, , state] = process.argv.slice(2);
      const threads = process.env.LONGHAUL_ENGINE_THREADS;
      require('node:fs').appendFileSync(${JSON.stringify(asked)}, JSON.stringify([verb, preset, setting, state, threads]) + '\\n');
      setTimeout(() => console.log('warmup: done\\nsha256   ${'ab'.repeat(32)} (model.safetensors)'), 300);`);
    const side = await start();
    try {
      for (const turn of [await side.repeat(), await side.repeat()]) {
        expect(turn.seconds).toBeGreaterThan(0.3);
        expect(turn.weights).toBe('ab'.repeat(32));
        if (process.platform === 'linux') expect(turn.peakBytes).toBeGreaterThan(2 ** 20);
      }
    } finally {
      await side.close();
    }
    const turns = (await readFile(asked, 'utf8'))
      .trim()
      .split('\n')
      .map(line => JSON.parse(line));
    expect(turns.map(([verb, preset, setting, , threads]) => [verb, preset, setting, threads])).toEqual([
      ['start', 'tiny', 'seed=2', '2'],
      ['start', 'tiny', 'seed=2', '2'],
    ]);
    const states = turns.map(([, , , state]) => state as string);
    expect(new Set(states).size).toBe(2);
    expect(states.filter(existsSync)).toEqual([]);
  });

  test('that fails says why', async () => {
    await command(`console.error('phases: expected at least one'); process.exit(2);`);
    const side = await start();
    await expect(side.repeat()).rejects.toThrow(/longhaul\.js start tiny .*ended with code 2:\n.*phases: expected/s);
    await side.close();
  });
});
