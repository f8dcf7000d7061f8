import { median, spread } from '../../../infra/bench/statistics';

describe('median', () => {
  test('is the middle value, whatever the order', () => {
    expect(median([9, 1, 5])).toBe(5);
    expect(median([7])).toBe(7);
  });

  test('is the mean of the two middle values of an even number', () => {
    expect(median([4, 1, 100, 2])).toBe(3);
  });

  test('compares numbers, not their texts', () => {
    expect(median([10, 9, 2])).toBe(9);
  });

  test('of nothing is refused', () => {
    expect(() => median([])).toThrow('no values');
  });
});

describe('spread', () => {
  test('is half the distance of the quartiles, as a share of the median', () => {
    expect(spread([8, 9, 10, 11, 12])).toBeCloseTo(0.1); // quartiles 9 and 11
    expect(spread([1, 2, 3, 4])).toBeCloseTo(0.3); // quartiles 1.75 and 3.25, median 2.5
  });

  test('leaves a single outlier out', () => {
    expect(spread([10, 10, 10, 10, 1000])).toBe(0);
  });

  test('does not depend on the unit', () => {
    expect(spread([80, 90, 100, 110, 120])).toBeCloseTo(spread([8, 9, 10, 11, 12]));
  });
});
