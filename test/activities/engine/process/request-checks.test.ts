import { checkGroups, checkIds } from '../../../../activities/engine/process/request-checks.js';

const config = { vocabularySize: 10, contextLength: 4 } as Parameters<typeof checkIds>[1];
const ids = (count: number) => new Array<number>(count).fill(1);

test.each([
  [() => checkIds(ids(5), config, 'a sequence'), "a sequence of 5 tokens exceeds the model's context of 4 tokens"],
  [
    () => checkIds(ids(3), config, 'a prompt', { tokens: 2, what: 'and 2 new tokens' }),
    "a prompt of 3 tokens and 2 new tokens exceeds the model's context of 4 tokens",
  ],
  [
    () => checkGroups([{ promptIds: ids(3), responses: [ids(2)] }], config),
    "a response of 2 tokens behind a prompt of 3 tokens exceeds the model's context of 4 tokens",
  ],
])('what outgrows the context is said in one plain sentence', (check, message) => {
  expect(check).toThrow(message);
});

test('what just fits is taken', () => {
  checkIds(ids(4), config, 'a sequence');
  checkGroups([{ promptIds: ids(3), responses: [ids(1)] }], config);
});
