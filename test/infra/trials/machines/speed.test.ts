/** What the trial of two workers makes of times: from histories to a step's, and to many workers'. */
import { type Parts, simulateStep } from '../../../../infra/trials/machines/speed/simulation';
import { timingsOf } from '../../../../infra/trials/machines/speed/timings';

const PARTS: Parts = { prompts: new Array(64).fill(1), shardOverhead: 0, weights: 0, alone: 0 };

describe('a simulated step', () => {
  test('is shared evenly where nothing is lost', () => {
    for (const workers of [1, 2, 4, 8, 16, 32, 64])
      expect(simulateStep(PARTS, workers).sampling).toBeCloseTo(64 / workers, 9);
  });

  test('does not get shorter than its longest prompt, nor faster by workers that it has no prompts for', () => {
    expect(simulateStep({ ...PARTS, prompts: [10, 1, 1, 1] }, 8).sampling).toBe(10);
    expect(simulateStep({ ...PARTS, prompts: [1, 1] }, 64)).toMatchObject({ shards: 2, sampling: 1 });
  });

  test('waits for weights with all but the one that has them, and pays for each shard', () => {
    expect(simulateStep({ ...PARTS, weights: 3 }, 2, 1).sampling).toBe(35);
    expect(simulateStep({ ...PARTS, shardOverhead: 0.5 }, 2, 2).sampling).toBe(33);
  });

  test('has what one worker does alone on top, however many there are', () => {
    const [one, many] = [1, 64].map(workers => simulateStep({ ...PARTS, alone: 64 }, workers).step) as [number, number];
    expect([one, many]).toEqual([128, 65]);
  });
});

test("a step's times come from its activities: from the first shard asked for to all gathered", () => {
  const completed = (activity: string, scheduled: number, started: number, ended: number) => ({
    ...{ activity, gpu: true, machine: 'm', attempts: 1 },
    ...{ scheduled: 1000 * scheduled, started: 1000 * started, ended: 1000 * ended },
  });
  const step = (at: number, sampling: number) => [
    completed('rollout', at, at + 0.1, at + sampling - 0.5),
    completed('rollout', at, at + 0.1, at + sampling - 0.2),
    completed('gatherRollouts', at + sampling - 0.2, at + sampling - 0.1, at + sampling),
    completed('score', at + sampling, at + sampling, at + sampling + 0.1),
    completed('update', at + sampling + 0.1, at + sampling + 0.1, at + sampling + 2.1),
  ];
  const timings = timingsOf([
    ...step(1, 9),
    ...step(20, 4),
    ...step(40, 6),
    completed('evaluate', 60, 60, 62),
    completed('evaluate', 60, 62, 65),
    completed('gatherResponses', 65, 65, 65.5),
  ]);
  expect(timings.sampling).toBeCloseTo(5, 6);
  expect(timings.update).toBeCloseTo(2, 6);
  expect(timings.evaluation).toBeCloseTo(5.5, 6);
  expect(timings.rollouts.map(seconds => Math.round(10 * seconds))).toEqual([34, 37, 54, 57]);
  expect(timings.evaluated).toEqual([2, 3]);
});
