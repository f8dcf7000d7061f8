import { differenceOf } from '../../../infra/bench/evidence';

describe('differenceOf', () => {
  test('is none between gradients that only the order of summation tells apart', () => {
    expect(differenceOf({ gradNorm: 2 }, { gradNorm: 2.0001 })).toBeNull();
  });

  test('is told of others, in proportion to ours', () => {
    expect(differenceOf({ gradNorm: 13.97 }, { gradNorm: 7.25 })).toEqual({
      short: 'gradient -48 %',
      long: 'another gradient: its norm is 7.250, ours 13.97',
    });
    expect(differenceOf({ gradNorm: 2 }, { gradNorm: 2.006 })!.short).toBe('gradient +0.3 %');
  });

  test('of whole runs is by the weights they ended with', () => {
    expect(differenceOf({ weights: 'a' }, { weights: 'a' })).toBeNull();
    expect(differenceOf({ weights: '0123456789' }, { weights: '9876543210' })!.long).toContain(
      '98765432…, ours 01234567…',
    );
  });

  test('is not known where a side tells nothing', () => {
    expect(differenceOf({ gradNorm: 1 }, {})).toBeUndefined();
    expect(differenceOf({}, {})).toBeUndefined();
  });
});
