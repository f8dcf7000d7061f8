import type { StepInputs } from '../../../activities/artifacts/index.js';
import { stepRemarks } from '../../../infra/ui/step-remarks.js';
import { lossOf } from '../../support/rollouts.js';

const of = (loss: object, more: object = {}) =>
  stepRemarks({ settings: { kind: 'rl', loss: lossOf('dapo', loss) } as StepInputs['settings'], ...more });

test.each([
  [{}, {}, []],
  [{ advantageScale: 'group' }, {}, []],
  [{ maskNegative: true }, {}, ['rl.aepo']],
  [{ advantageScale: 'task', truncation: { topP: 0.9, topK: 0 } }, {}, ['rl.advantageScale', 'rl.truncatedLogprobs']],
  [{}, { sampler: { name: 'ab12', uri: '', sha256: '' } }, ['rl.overlap']],
])('%j %j', (loss, more, options) => {
  const remarks = of(loss, more);
  expect(remarks.map(remark => /\((rl\.\w+)\)/.exec(remark)?.[1])).toEqual(options);
});

test('a warm-up has none', () => {
  expect(stepRemarks({ settings: { kind: 'sft' } as StepInputs['settings'] })).toEqual([]);
});
