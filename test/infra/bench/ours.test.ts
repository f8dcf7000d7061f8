/** Every kind of work on the real engine, as small as it can be. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { takeTurns } from '../../../infra/bench/measure';
import { writeModel } from '../../../infra/bench/models';
import { startOurs } from '../../../infra/bench/ours';
import { peakMemory } from '../../../infra/bench/process-usage';
import { assign, type Work } from '../../../infra/bench/work';
import { ENGINE_PROGRAM } from '../../support/engine';

const VOCABULARY = 64;
const sampled = { model: '128x2', promptTokens: 6, group: 2, newTokens: 4, temperature: 1, topP: 1 } as const;

const WORKS: Work[] = [
  { kind: 'rollouts', ...sampled },
  { kind: 'groups', groups: 3, ...sampled },
  { kind: 'grpo', ...sampled },
  { kind: 'update', groups: 2, ...sampled },
  { kind: 'training', model: '128x2', batch: 2, length: 6 },
];

describe('our side', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'longhaul-bench-test-'));
    await writeModel(folder, { hiddenSize: 16, layers: 1, heads: 2, vocabularySize: VOCABULARY });
  });
  afterAll(() => rm(folder, { recursive: true }));

  test.each(WORKS)('takes turns at $kind in a process of its own', async work => {
    const side = await startOurs(assign(work, folder, VOCABULARY, 1), { program: ENGINE_PROGRAM });
    try {
      expect(side.pid).not.toBe(process.pid);
      const [measured] = await takeTurns([side], { repetitions: 2, warmUp: true, seconds: 1000 });
      expect(measured!.seconds).toHaveLength(2);
      if (process.platform === 'linux') expect(measured!.peakBytes).toBeGreaterThan(2 ** 20);
    } finally {
      await side.close();
    }
    expect(peakMemory(side.pid)).toBeNull();
  });

  test('two processes find the same gradient', async () => {
    const assignment = assign(WORKS.find(({ kind }) => kind === 'update')!, folder, VOCABULARY, 1);
    const sides = [
      await startOurs(assignment, { program: ENGINE_PROGRAM }),
      await startOurs(assignment, { program: ENGINE_PROGRAM }),
    ];
    try {
      const [a, b] = [await sides[0]!.repeat(), await sides[1]!.repeat()];
      expect(a.gradNorm).toBeGreaterThan(0);
      expect(a.gradNorm).toBe(b.gradNorm);
    } finally {
      await Promise.all(sides.map(side => side.close()));
    }
  });
});
