/** A trial that is broken off when its time is over, and gone on with: on a run that publishes something at every look. */
import type { Cluster } from '../../../infra/chaos/cluster';
import type { Fault } from '../../../infra/chaos/schedule';
import { Trial, type TrialSettings } from '../../../infra/chaos/trial';

const LONG = 1000;
const fault = (number: number): Fault => ({ number, kind: 'lose-store', after: 1, delayMs: 0, target: 0, force: 0 });

let published: string[];
let begun: string[];
let lost: number;

/** @param steps after which the run has its result */
function trial(settings: TrialSettings, steps = LONG): Trial {
  const store = {
    published: async () => {
      const step = published.length + 1;
      published.push(step > steps ? 'result.json' : `phase-1/1/steps/${step}/update.json`);
      return published;
    },
    lose: async () => {
      lost++;
      return async () => {};
    },
  };
  const handle = {
    describe: async () => ({ status: { name: published.includes('result.json') ? 'COMPLETED' : 'RUNNING' } }),
  };
  const workflow = {
    start: async (_type: string, { workflowId }: { workflowId: string }) => void begun.push(workflowId),
    getHandle: () => handle,
  };
  return new Trial({ store, client: { workflow } } as unknown as Cluster, {} as never, () => {}, settings);
}

beforeEach(() => {
  [published, begun, lost] = [[], [], 0];
});

test('strikes nothing and waits for no end once its time is over', async () => {
  const over = trial({ until: Date.now() - 1 });
  await over.begin('disturbed-1');
  expect(await over.strike(fault(1))).toBe(false);
  await over.finish();
  expect([over.paused, over.stuck, over.records, lost]).toEqual([true, null, [], 0]);
});

test('goes on with the run that was under way, and with what it had', async () => {
  const first = trial({});
  expect(await first.strike(fault(1))).toBe(true);
  const { soFar } = first;
  expect([begun, soFar.records.length, lost]).toEqual([['disturbed-1'], 1, 1]);

  const second = trial({ soFar: { ...soFar, seconds: 100 } }, 12);
  expect(await second.strike(fault(2))).toBe(true);
  await second.finish();
  expect(second.paused).toBe(false);
  expect(begun).toEqual(['disturbed-1']);
  expect(second.records.map(({ number, run }) => [number, run])).toEqual([
    [1, 'disturbed-1'],
    [2, 'disturbed-1'],
  ]);
  expect(second.records[1]!.at).toBeGreaterThanOrEqual(100);
});
