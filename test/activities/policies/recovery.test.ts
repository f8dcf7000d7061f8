import { driveRun } from '../../support/drive.js';
import { type SmallRun, smallRun } from '../../support/small-run.js';

jest.setTimeout(180_000);

const runs: SmallRun[] = [];
async function fresh(): Promise<SmallRun> {
  const run = await smallRun();
  run.spec.warmup.batchSize = 16;
  // Of every kind of call one is enough: each is died at in turn.
  run.spec.rl = { ...run.spec.rl, ...{ maxRefills: 1 } };
  for (const phase of run.spec.phases) phase.steps = 2;
  runs.push(run);
  return run;
}
afterAll(() => Promise.all(runs.map(run => run.remove())));

/** Hashes of everything that training leaves: policies by name and content. */
const outcome = ({ base, sft, final }: Awaited<ReturnType<typeof driveRun>>) =>
  [base, sft, final].map(policy => [policy.name, policy.sha256]);

test('an engine that dies, wherever it is, changes nothing of the result', async () => {
  const undisturbed = await fresh();
  const expected = outcome(await driveRun(undisturbed));
  const calls = undisturbed.engine.calls.length;
  expect(calls).toBeGreaterThan(30);
  for (let dieAt = 0; dieAt < calls; dieAt++) {
    const disturbed = await fresh();
    disturbed.engine.dieAt = dieAt;
    expect({ dieAt, policies: outcome(await driveRun(disturbed)) }).toEqual({ dieAt, policies: expected });
  }
});
