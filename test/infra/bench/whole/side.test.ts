/** Whole runs of a build, whose parts are stand-ins; the program is compiled, as `npm test` has built it. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
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

  async function part(file: string, text: string) {
    const path = join(build, 'dist', 'infra', file);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text);
  }

  test("is of the build's own spec and workers, and tells its time, its weights and its memory", async () => {
    await part('specs/spec-files.js', 'exports.loadSpec = async (name, set, cwd) => ({ spec: { name, set, cwd } });');
    await part(
      'bench/overhead/run.js',
      `exports.measureOverhead = async (spec, log) => {
         log('up');
         return { wall: 12.5, sha256: JSON.stringify(spec) };
       };`,
    );
    const side = await startWholeRun({ preset: 'tiny', set: ['seed=2'] }, { build, threads: 2, program: PROGRAM });
    try {
      const turn = await side.repeat();
      expect(turn.seconds).toBe(12.5);
      expect(JSON.parse(turn.weights!)).toEqual({ name: 'tiny', set: ['seed=2'], cwd: build });
      if (process.platform === 'linux') expect(turn.peakBytes).toBeGreaterThan(2 ** 20);
    } finally {
      await side.close();
    }
  });

  test('of a build that has no such thing fails by its name', async () => {
    const starting = startWholeRun({ preset: 'tiny', set: [] }, { build, threads: 2, program: PROGRAM });
    await expect(starting).rejects.toThrow(/spec-files\.js/);
  });
});
