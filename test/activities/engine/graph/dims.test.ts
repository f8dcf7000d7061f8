import { type Dim, product, quotient, sameShape, showShape } from '../../../../activities/engine/graph/dims';
import { pick, randomStream } from '../../../../activities/engine/random';
import { between } from '../../../support/graphs';

test.each<[Dim[], Dim]>([
  [[], 1],
  [[2, 3], 6],
  [['T'], 'T'],
  [['T', 0], 0],
  [['B', 4], '4*B'],
  [[4, 'B', 2], '8*B'],
  [['T/256', 256], 'T'],
  [['T/256', 2], 'T/128'],
  [['b', 'a'], 'a*b'],
  [['a', 'b', 'a'], 'a*a*b'],
  [['by_query_whole_visits', 2], '2*by_query_whole_visits'],
])('the product of %j is %s', (dims, expected) => {
  expect(product(dims)).toBe(expected);
});

test.each<[Dim, Dim, Dim]>([
  [6, 3, 2],
  [6, 4, '3/2'],
  ['T', 'T', 1],
  ['T', 256, 'T/256'],
  ['12*T', 8, '3*T/2'],
  [1, 'T', '1/T'],
  ['a*b', 'b', 'a'],
  ['2*T', 'S*T', '2/S'],
])('%s over %s is %s', (a, b, expected) => {
  expect(quotient(a, b)).toBe(expected);
});

test('quotient undoes product, in any order, whatever is written', () => {
  const random = randomStream('dims');
  for (let round = 0; round < 300; round++) {
    const dims = Array.from({ length: between(random, 1, 5) }, () =>
      pick<Dim>([2, 3, 7, 256, 'T', 'B', 'T/8'], random),
    );
    const whole = product(dims);
    expect(product([...dims].reverse())).toBe(whole);
    expect(dims.reduce((rest, dim) => quotient(rest, dim), whole)).toBe(1);
    expect(quotient(whole, dims[0]!)).toBe(product(dims.slice(1)));
  }
});

test('shapes are the same when their lengths are, however written', () => {
  expect(sameShape([2, 'a*b'], [2, 'b*a'])).toBe(true);
  expect(sameShape(['2*T/4'], ['T/2'])).toBe(true);
  expect(sameShape(['T'], ['S'])).toBe(false);
  expect(sameShape([2], [2, 1])).toBe(false);
  expect(showShape([2, 'T/8'])).toBe('[2, T/8]');
});
