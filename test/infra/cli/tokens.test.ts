/** `longhaul tokens` where there is nothing to measure: it says so before any engine is started. */
import { entryAt } from '../../../activities/policies/index.js';
import { tokensCommand } from '../../../infra/cli/tokens.js';
import { measureTokens } from '../../../infra/proof/measured-tokens.js';
import { driveRun } from '../../support/drive.js';
import { type SmallRun, smallRun } from '../../support/small-run.js';
import { unsupervised } from '../../support/supervision.js';

let small: SmallRun;
beforeAll(async () => {
  small = await smallRun();
  await driveRun(small);
});
afterAll(() => small.remove());
afterEach(() => jest.restoreAllMocks());

async function said(...args: string[]): Promise<string> {
  const written = jest.spyOn(process.stdout, 'write').mockReturnValue(true);
  await tokensCommand().parseAsync([...args, '--store', small.store.root], { from: 'user' });
  return written.mock.calls.map(([text]) => text).join('');
}

test.each([
  [['other'], 'The store has no run "other".'],
  [['run', '--stage', 'warmup'], 'warmup, step 3 of "run" is of the supervised warm-up: it samples no responses.'],
  [['run', '--step', '9'], 'The run "run" has no step 9'],
])('%j: %s', async (args, message) => {
  await expect(said(...args)).rejects.toMatchObject({ name: 'UserError', message: expect.stringContaining(message) });
});

test('what was measured is not measured again', async () => {
  const { record } = (await entryAt(small.store, { run: 'run', stage: 'phase-1', attempt: 1 }, 1))!;
  await measureTokens(small.deps, record, unsupervised());
  expect(await said('run', '--stage', 'phase-1', '--step', '1')).toBe(
    'phase-1, step 1: the tokens were measured before.\n',
  );
});
