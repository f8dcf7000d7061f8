/** Lines made calmer. */

/** Of an exponential moving average: how much of the past stays at each step. */
const SMOOTHING = 0.8;

/**
 * An exponential moving average that begins unbiased, and anew with each stage; gaps stay gaps. Where steps are left out the
 * past counts for less, as if they had been there.
 * @param places of the values, 1-based
 * @param begins places of the stages' first steps
 */
export function smoothed(values, places, begins) {
  let sum = 0;
  let weight = 0;
  let last = 0;
  return values.map((value, k) => {
    const place = places[k];
    if (begins.some(begin => begin > last && begin <= place)) [sum, weight] = [0, 0];
    if (value === null) return null;
    const past = SMOOTHING ** Math.max(1, weight === 0 ? 1 : place - last);
    last = place;
    sum = past * sum + (1 - past) * value;
    weight = past * weight + (1 - past);
    return sum / weight;
  });
}

/** When a place was reached, between those that are known; null where none is. */
export function timeAt(times, place) {
  if (times.length === 0) return null;
  const after = times.findIndex(one => one.place >= place);
  if (after < 0) return times.at(-1).time;
  const next = times[after];
  if (after === 0 || next.place === place) return next.time;
  const before = times[after - 1];
  return before.time + ((next.time - before.time) * (place - before.place)) / (next.place - before.place);
}
