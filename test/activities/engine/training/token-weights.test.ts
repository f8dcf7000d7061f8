/** How much tokens count, by algorithm: numbers worked by hand. */
import type { LossSettings } from '../../../../activities/engine/protocol/index';
import { rulesOf } from '../../../../activities/engine/training/algorithms';
import { sequenceMean } from '../../../../activities/engine/training/token-weights';
import { lossOf } from '../../../support/rollouts';

const lengths = [
  [2, 4],
  [1, 1, 2],
];

test.each<[string, LossSettings, number[][]]>([
  [
    'grpo: groups, then responses, then tokens',
    lossOf('grpo'),
    [
      [1 / 8, 1 / 16],
      [1 / 6, 1 / 6, 1 / 12],
    ],
  ],
  [
    'gspo: the same',
    lossOf('gspo'),
    [
      [1 / 8, 1 / 16],
      [1 / 6, 1 / 6, 1 / 12],
    ],
  ],
  [
    'dapo: groups, then tokens',
    lossOf('dapo'),
    [
      [1 / 12, 1 / 12],
      [1 / 8, 1 / 8, 1 / 8],
    ],
  ],
  [
    'cispo: the same',
    lossOf('cispo'),
    [
      [1 / 12, 1 / 12],
      [1 / 8, 1 / 8, 1 / 8],
    ],
  ],
  [
    'dapo over the batch: tokens',
    lossOf('dapo', { tokenMean: 'batch' }),
    [
      [0.1, 0.1],
      [0.1, 0.1, 0.1],
    ],
  ],
  [
    'rloo: groups, then responses',
    lossOf('rloo'),
    [
      [1 / 4, 1 / 4],
      [1 / 6, 1 / 6, 1 / 6],
    ],
  ],
  [
    'dr-grpo: that, by the limit',
    lossOf('dr-grpo', { maxResponseTokens: 5 }),
    [
      [1 / 20, 1 / 20],
      [1 / 30, 1 / 30, 1 / 30],
    ],
  ],
])('%s', (_title, settings, expected) => {
  const weights = rulesOf(settings.algorithm).weights(lengths, settings);
  expect(weights).toEqual(expected.map(group => group.map(weight => expect.closeTo(weight, 12))));
});

test('of SFT examples: each counts the same, whatever its length', () => {
  expect(sequenceMean([[2], [10]])).toEqual([[1 / 4], [1 / 20]]);
});
