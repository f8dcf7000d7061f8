/** Rollouts beside the update before them, while servers and workers are lost: every step once, and the books of a run without faults. */
import { readLedger } from '../../../infra/chaos/ledger';
import { driveRun, type StepDriver } from '../../support/drive';
import { APART, booksOf, OVERLAPPED, oneAfterTheOther, overlappedRun } from '../../support/overlapped-run';
import { type ServedRun, startServed } from '../../support/served-run';
import type { Behaviour, Fault, SeenRequest, TinkerServer } from '../../support/tinker-server';

jest.setTimeout(900_000);

let first: TinkerServer;
beforeAll(async () => {
  first = await startServed();
});
afterAll(() => first?.release());

interface Happens {
  /** At which requests of this path, counted from the first rollouts on. */
  path: string;
  numbers: number[];
  what(served: ServedRun): Fault | null;
}

async function driven(behaviour: Partial<Behaviour>, happens: Happens, takeStep?: StepDriver) {
  const server = await first.another({ ...APART, ...behaviour });
  const served = await overlappedRun(server);
  let samples = 0;
  let seen = 0;
  const struck: number[] = [];
  server.fault = ({ path, body }: SeenRequest) => {
    // The service's own trial asks for one response at a time.
    if (path === 'asample' && body!.num_samples === OVERLAPPED.rl.groupSize) samples++;
    if (samples === 0 || path !== happens.path || !happens.numbers.includes(++seen)) return null;
    struck.push(seen);
    return happens.what(served);
  };
  try {
    const { final } = await driveRun(served, 'run', takeStep);
    const { errors, steps } = await readLedger(served.store.root, 'run');
    expect(errors).toEqual([]);
    expect(struck).toEqual(happens.numbers);
    return { final: final.name, steps, stepped: server.state.steps.length, books: await booksOf(served) };
  } finally {
    await served.remove();
    await server.stop();
  }
}

const expected = new Map<Behaviour['clipping'], ReturnType<typeof driven>>();
/** The same with one thing at a time, and without faults. */
function withoutFaults(clipping: Behaviour['clipping']) {
  const known = expected.get(clipping) ?? driven({ clipping }, NOTHING, oneAfterTheOther());
  expected.set(clipping, known);
  return known;
}

const at = (path: string, numbers: number[], what: Happens['what']): Happens => ({ path, numbers, what });
const NOTHING = at('', [], () => null);

const workerEnds = (keepsState: boolean) => (served: ServedRun) => {
  served.endWorker(keepsState);
  return null;
};

const CASES: [string, Partial<Behaviour>, Happens][] = [
  ['a server that ends as it is asked for the next rollouts', {}, at('asample', [7, 13, 22], () => 'ends before')],
  ['a server that ends when they are sampled', {}, at('asample', [8, 14, 21], () => 'ends after')],
  ['a server that ends in mid-step', {}, at('optim_step', [2, 5, 8], () => 'ends before')],
  ['a server that ends once it has stepped', {}, at('optim_step', [3, 6], () => 'ends after')],
  ['a server whose models come back', { restart: 'restores' }, at('optim_step', [2, 5], () => 'ends after')],
  [
    'a server that ends as the policy is kept to sample from',
    {},
    at('save_weights_for_sampler', [2, 4], () => 'ends after'),
  ],
  ['promises that are forgotten', {}, at('asample', [7, 12], () => 'forgets')],
  ['a worker that ends while both go on', {}, at('optim_step', [3, 7], workerEnds(true))],
  ['a worker that ends when the step is saved', {}, at('save_weights', [4, 8], workerEnds(true))],
  ['a worker that is lost with all that it knew', {}, at('optim_step', [5], workerEnds(false))],
  ['steps that are taken again shorter, from here', { clipping: 'ignored' }, NOTHING],
];

test.each(CASES)('%s', async (_what, behaviour, happens) => {
  const { stepped, ...run } = await driven(behaviour, happens);
  const { clipping } = { ...APART, ...behaviour };
  const { stepped: _, ...expected } = await withoutFaults(clipping);
  expect(run).toEqual(expected);
  // A step that was too long is taken back and taken again, while its policy is sampled from.
  if (clipping === 'ignored') expect(stepped).toBeGreaterThan((await withoutFaults(APART.clipping)).stepped);
});
