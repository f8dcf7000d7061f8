import { citedDocuments, evidenceReward, fBeta } from '../../../activities/rewards/evidence.js';
import { createRewarder } from '../../../activities/rewards/reward.js';
import { rewardSchema } from '../../../activities/rewards/settings.js';
import { FolderStore } from '../../../activities/store/index.js';

describe('citations', () => {
  test.each<[string, number[]]>([
    ['Evidence: [1], [3]\nTherefore, the answer is Paris.', [1, 3]],
    ['By [2] and [4, 5; 6].', [2, 4, 5, 6]],
    ['By [2]. Evidence: [7]', [2, 7]],
    ['By [2].\n**Evidence:** [7] [7]', [7]],
    ['Evidence: [1]\nEvidence: [2]', [2]],
    ['<think>[1] or [2]?</think>It is [2].', [2]],
    ['<think>[1] or [2]?', []],
    ['In 1987 [a] (3) [x1] []', []],
    ['', []],
  ])('%j', (response, cited) => {
    expect([...citedDocuments(response)]).toEqual(cited);
  });
});

describe('F-beta', () => {
  // Values by hand: 5 P R / (4 P + R) for beta 2.
  test.each<[number[], number[], number]>([
    [[1, 2], [1, 2], 1],
    [[1], [1, 2], 5 / 9],
    [[1, 2, 3, 4], [1, 2], 2.5 / 3],
    [[3], [1, 2], 0],
    [[], [1, 2], 0],
    [[1, 3], [1, 2, 4], (5 * 0.5 * (1 / 3)) / (2 + 1 / 3)],
  ])('of %j for %j', (found, wanted, expected) => {
    expect(fBeta(new Set(found), new Set(wanted), 2)).toBeCloseTo(expected, 12);
  });

  test('with beta 1 is the harmonic mean', () => {
    expect(fBeta(new Set([1, 2, 3]), new Set([1, 4]), 1)).toBeCloseTo(2 / (3 + 2), 12);
  });
});

test('the reward is ans + 0.1 F2 + 0.9 ans F2', () => {
  const settings = { weight: 0.1, beta: 2 };
  const f = 5 / 9;
  expect(evidenceReward(settings, 1, 'By [1].', [1, 2]).reward).toBeCloseTo(1 + 0.1 * f + 0.9 * f, 12);
  expect(evidenceReward(settings, 0, 'By [1].', [1, 2]).reward).toBeCloseTo(0.1 * f, 12);
  expect(evidenceReward(settings, 1, 'By [2], [1].', [1, 2])).toEqual({
    reward: 2,
    reason: 'cites [2, 1] of [1, 2]: F2 1.000',
  });
  expect(evidenceReward(settings, 1, 'It is so.', [1, 2]).reward).toBe(1);
});

test('right citations never make a punished answer worse', () => {
  const settings = { weight: 0.1, beta: 2 };
  expect(evidenceReward(settings, -1, 'By [1], [2].', [1, 2]).reward).toBeCloseTo(-0.9, 12);
  expect(evidenceReward(settings, -1, 'It is so.', [1, 2]).reward).toBe(-1);
});

test('what is thought cites nothing, also where the prompt opened the thinking', () => {
  expect(citedDocuments('By [1].', { promptOpensThinking: true }).size).toBe(0);
  expect([...citedDocuments('By [1].</think>By [2].', { promptOpensThinking: true })]).toEqual([2]);
});

test('comes on top of what the answer is worth', async () => {
  const rewarder = createRewarder(rewardSchema.parse({ evidence: {} }), {
    store: new FolderStore('unused'),
    environment: {},
  });
  const asked = { id: 's1', task: 'docqa' as const, question: 'Where?', answers: ['Paris'] };
  const options = { signal: new AbortController().signal, note: () => {} };
  const responses = ['Evidence: [1]\nThe answer is Paris', 'Evidence: [1]\nThe answer is Rome', 'The answer is Paris'];
  const { groups } = await rewarder.reward([{ ...asked, evidence: [1], responses }], options);
  expect(groups[0]!.rewards!.map(({ reward, rule }) => [reward, rule])).toEqual([
    [2, 1],
    [0.1, 0],
    [1, 1],
  ]);
  expect(groups[0]!.rewards![1]!.reason).toMatch(/; cites \[1\] of \[1\]: F2 1\.000$/);
  await expect(rewarder.reward([{ ...asked, responses }], options)).rejects.toThrow(/sample s1/);
});
