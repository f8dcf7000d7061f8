/** What tokens are trained towards: numbers worked by hand. */
import { tokenTargets } from '../../../../activities/engine/training/token-targets';
import { expectClose } from '../../../support/close';
import { group, lossOf } from '../../../support/rollouts';

const NONE = { current: null, reference: null };

describe('targets of tokens', () => {
  test("a response over length changes its group's advantages, its reward and whether the group counts", () => {
    const groups = [group([10, 1], [5, 1]), group([3, 0], [3, 0])];
    const shaped = tokenTargets(groups, lossOf('dapo', { overlong: { maxLength: 10, cache: 4 } }), NONE);
    // Rewards 1 - 1 and 1; 0 and 0.
    expect(shaped.reward).toBeCloseTo(0.25, 12);
    expect(shaped.effectiveGroups).toBe(1);
    expectClose(
      shaped.advantages.slice(0, 15),
      [...new Array<number>(10).fill(-Math.SQRT1_2), ...new Array<number>(5).fill(Math.SQRT1_2)],
      5,
    );
    expectClose(shaped.advantages.slice(15), [0, 0, 0, 0, 0, 0]);
    const plain = tokenTargets(groups, lossOf('dapo'), NONE);
    expect([plain.reward, plain.effectiveGroups]).toEqual([0.5, 0]);
    expectClose(plain.advantages, new Array<number>(21).fill(0));
  });

  test('log-probabilities of the sampler stay with their tokens', () => {
    const groups = [group([2, 1], [1, 0]), group([1, 0])];
    let next = 0;
    for (const response of groups.flatMap(g => g.responses)) response.logprobs = response.ids.map(() => --next);
    expect([...tokenTargets(groups, lossOf('grpo'), NONE).sampled]).toEqual([-1, -2, -3, -4]);
  });

  test('against the proximal ones where importance is truncated, whose cap bounds what a token weighs', () => {
    const one = group([3, 1], [1, 0]);
    one.responses[0]!.proximal = [-1, -1 + Math.log(1.5), -1 + Math.log(4)];
    one.responses[1]!.proximal = [-1 + Math.log(0.5)];
    const { sampled, old, advantages } = tokenTargets([one], lossOf('dr-grpo', { importanceCap: 2 }), NONE);
    expectClose(sampled, [-1, -1, -1, -1]);
    expectClose(old, [-1, -1 + Math.log(1.5), -1 + Math.log(4), -1 + Math.log(0.5)]);
    expectClose(advantages, [0.5, 0.5 * 1.5, 0.5 * 2, -0.5 * 0.5]);
  });

  test("a sequence's ratio is that of all its tokens", () => {
    const current = Float32Array.of(-1.5, -0.5, -1.6, -2);
    const { old } = tokenTargets([group([3, 1], [1, 0])], lossOf('gspo'), { ...NONE, current });
    // Mean log ratios -0.2 and -1.
    expectClose(
      current.map((logprob, t) => logprob - old[t]!),
      [-0.2, -0.2, -0.2, -1],
    );
  });
});
