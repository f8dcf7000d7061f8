/** Lists of numbers compared entry by entry. */

export function expectClose(got: ArrayLike<number>, want: readonly number[], digits = 6): void {
  expect(got).toHaveLength(want.length);
  want.forEach((value, i) => {
    expect(got[i]).toBeCloseTo(value, digits);
  });
}
