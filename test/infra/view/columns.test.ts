import { columns, numbersRight } from '../../../infra/view/columns';

const ROWS = [
  ['name', 'count'],
  ['本', '7'],
  ['longer', '1024'],
];

test('cells stand below one another, by the room that they take on a terminal', () => {
  expect(columns(ROWS)).toEqual(['name    count', '本      7', 'longer  1024']);
});

test('columns of numbers may stand to the right, headings and texts where they are', () => {
  expect(columns(ROWS, numbersRight(ROWS))).toEqual(['name    count', '本          7', 'longer   1024']);
});

test('no rows give no lines', () => {
  expect(columns([])).toEqual([]);
});
