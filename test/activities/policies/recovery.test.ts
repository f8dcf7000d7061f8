/** An engine that dies at the first and at the last of a run's calls of each kind. At every call, of every loss: recovery.long.test.ts. */
import { LOSSES, outcomes, removeRuns } from '../../support/recovery.js';

jest.setTimeout(180_000);
afterAll(removeRuns);

test('an engine that dies in any kind of call changes nothing of the result', async () => {
  const { undisturbed, calls, dyingAt } = await outcomes(LOSSES[0]!);
  const places = new Set([...new Set(calls)].flatMap(kind => [calls.indexOf(kind), calls.lastIndexOf(kind)]));
  expect(places.size).toBeGreaterThan(8);
  for (const dieAt of places)
    expect({ dieAt, policies: await dyingAt(dieAt) }).toEqual({ dieAt, policies: undisturbed });
});
