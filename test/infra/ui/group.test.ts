/** A group's advantages where they are scaled by their task: as the step had them, by all that it trained on. */
import { groupOf } from '../../../infra/ui/group.js';
import { Samples } from '../../../infra/ui/samples.js';
import { stepPage } from '../../../infra/ui/step.js';
import { driveRun } from '../../support/drive.js';
import { smallRun } from '../../support/small-run.js';

const AT = { stage: { run: 'run', stage: 'phase-1', attempt: 1 }, step: 1 };

test('(reward - mean of the group) / deviation over the task', async () => {
  const small = await smallRun();
  try {
    Object.assign(small.spec.rl, { advantageScale: 'task' });
    await driveRun(small);
    const { store } = small;
    const { groups, remarks } = await stepPage(store, AT);
    expect(remarks).toEqual(['Advantages are divided by the deviation of their task (rl.advantageScale).']);
    expect(new Set(groups.map(({ task }) => task))).toEqual(new Set(['docqa']));
    const trained = groups.filter(({ isTrained }) => isTrained);
    expect(trained.length).toBeGreaterThan(1);
    // All samples are of one task.
    const rewards = trained.flatMap(group => group.rewards as number[]);
    const squares = rewards.reduce((sum, reward) => sum + (reward - mean(rewards)) ** 2, 0);
    const deviation = Math.sqrt(squares / (rewards.length - 1));
    const parts = {
      store,
      samples: new Samples(store),
      textOf: () => small.deps.models.open(''),
    };
    for (const { round, line, rewards: own } of trained) {
      const { responses } = await groupOf(parts, { ...AT, round, line });
      const expected = (own as number[]).map(reward => (reward - mean(own as number[])) / deviation);
      expect(responses.map(({ advantage }) => advantage)).toEqual(expected.map(value => expect.closeTo(value, 4)));
    }
  } finally {
    await small.remove();
  }
});

const mean = (values: number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
