import type { Dependencies } from '../../../../activities/dependencies';
import { Recorder } from '../../../../infra/bench/overhead/spans';

test('notes what it lets through, also where that fails', async () => {
  const recorder = new Recorder();
  const { rollout, update } = recorder.activities({
    rollout: async (input: number) => input + 1,
    update: async () => {
      throw new Error('lost');
    },
  });
  expect(await rollout!(1 as never)).toBe(2);
  await expect(update!(1 as never)).rejects.toThrow('lost');
  expect(recorder.spans.map(({ kind, name }) => [kind, name])).toEqual([
    ['activity', 'rollout'],
    ['activity', 'update'],
  ]);
  for (const { from, to } of recorder.spans) expect(to).toBeGreaterThanOrEqual(from);
});

test.each([true, false])('a reward counts as the judge’s where somebody is asked: %s', async asksOthers => {
  const recorder = new Recorder();
  const reward = async () => ({ groups: [], judge: null });
  const deps = recorder.judged({ rewarder: () => ({ asksOthers, reward }) } as unknown as Dependencies);
  const rewarder = deps.rewarder({} as never);
  expect(rewarder.asksOthers).toBe(asksOthers);
  await rewarder.reward([], {} as never);
  expect(recorder.spans).toHaveLength(asksOthers ? 1 : 0);
});
