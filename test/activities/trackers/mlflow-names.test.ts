/** Names as MLflow takes them: with one that it refuses it would refuse all that is sent beside it. */
import { mlflowName } from '../../../activities/trackers/mlflow.js';

test.each([
  ['reward/pass_rate', 'reward/pass_rate'],
  ['rl.optimizer.learningRate', 'rl.optimizer.learningRate'],
  ['eval/80 facts/score %', 'eval/80 facts/score _25'],
  ['data.0.fields.größe', 'data.0.fields.gr_f6_dfe'],
  ['a//b', 'a/_/b'],
  ['/a', '_/a'],
  ['../a/.', '_../a/_.'],
  ['a'.repeat(300), 'a'.repeat(250)],
])('%s is %s', (name, expected) => {
  expect(mlflowName(name)).toBe(expected);
});
