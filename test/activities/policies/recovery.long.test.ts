/** An engine that dies at every one of a run's calls in turn. */
import { LOSSES, outcomes, removeRuns } from '../../support/recovery.js';

jest.setTimeout(300_000);
afterAll(removeRuns);

test.each(LOSSES)('an engine that dies, wherever it is, changes nothing of the result: $what', async loss => {
  const { undisturbed, calls, dyingAt } = await outcomes(loss);
  expect(calls.length).toBeGreaterThan(30);
  for (let dieAt = 0; dieAt < calls.length; dieAt++)
    expect({ dieAt, policies: await dyingAt(dieAt) }).toEqual({ dieAt, policies: undisturbed });
});
