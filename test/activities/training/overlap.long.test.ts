/** Rollouts sampled beside the update before: that both go on at once, in which order policies follow, and what a token then weighs. */
import {
  type RolloutGroup,
  type ScoredRollouts,
  sampledBy,
  type UpdateRecord,
} from '../../../activities/artifacts/index';
import type { PolicyRef } from '../../../activities/contract/index';
import { seedOf } from '../../../activities/engine/tinker/samples';
import { type LogEntry, redoLog } from '../../../activities/policies/index';
import { readLines } from '../../../activities/store/index';
import { readLedger } from '../../../infra/chaos/ledger';
import { measuredTokens, measureTokens } from '../../../infra/proof/measured-tokens';
import { type Driven, driveRun } from '../../support/drive';
import {
  APART,
  booksOf,
  byParts,
  CAP,
  OVERLAPPED,
  oneAfterTheOther,
  overlappedRun,
} from '../../support/overlapped-run';
import { type ServedRun, startServed } from '../../support/served-run';
import { unsupervised } from '../../support/supervision';
import type { SeenRequest, TinkerServer } from '../../support/tinker-server';
import { type Passed, passesOf } from '../../support/tinker-server/passes';

jest.setTimeout(400_000);

let first: TinkerServer;
let server: TinkerServer;
let served: ServedRun;
let driven: Driven;
let passes: Passed[];
let steps: LogEntry[];
beforeAll(async () => {
  first = await startServed();
  server = await first.another(APART);
  passes = passesOf(server);
  served = await overlappedRun(server);
  driven = await driveRun(served);
  steps = [];
  for await (const entry of redoLog(served.store, 'run')) if (entry.stage.stage !== 'warmup') steps.push(entry);
});
afterAll(async () => {
  await served?.remove();
  await server?.stop();
  await first?.release();
});

const names = ({ sft, final }: Record<'sft' | 'final', PolicyRef>): string[] => [sft.name, final.name];
const roundsOf = ({ record }: LogEntry): Promise<RolloutGroup[][]> =>
  Promise.all(record.inputs.rounds.map(({ rollouts }) => readLines<RolloutGroup>(served.store, rollouts)));

test('every step but a phase’s first is sampled by the policy before the last update, what refills it by the newest', async () => {
  let refills = 0;
  for (const [k, entry] of steps.entries()) {
    const { inputs } = entry.record;
    const before = entry.step === 1 ? inputs.parent : steps[k - 1]!.record.inputs.parent;
    expect(inputs.sampler?.name).toBe(entry.step === 1 ? undefined : before.name);
    for (const [round, groups] of (await roundsOf(entry)).entries()) {
      const by = round === 0 ? before : inputs.parent;
      expect(new Set(groups.map(({ policy }) => policy))).toEqual(new Set([by.name]));
      refills += round;
    }
  }
  expect(refills).toBeGreaterThan(0);
  const { errors } = await readLedger(served.store.root, 'run');
  expect(errors).toEqual([]);
});

test('the service is asked for the next rollouts before the step that they are beside is taken', async () => {
  const at = (wanted: (request: SeenRequest) => boolean) =>
    server.requests.flatMap((request, index) => (wanted(request) ? [index] : []));
  const updates = steps.map(({ record }) => record.metrics.length);
  const all = at(({ path }) => path === 'optim_step').slice(-updates.reduce((a, b) => a + b));
  for (const [k, entry] of steps.entries()) {
    const [ahead] = await roundsOf(entry);
    const seeds = ahead!.map(({ seed }) => seedOf(seed, OVERLAPPED.rl.groupSize));
    const asked = at(({ path, body }) => {
      const sampling = body?.sampling_params as { seed: number } | undefined;
      return path === 'asample' && seeds.includes(sampling!.seed);
    });
    expect(asked).toHaveLength(ahead!.length);
    const taken = all[updates.slice(0, k).reduce((a, b) => a + b, 0) - (updates[k - 1] ?? 0)]!;
    if (k > 0) expect(Math.max(...asked) < taken).toBe(entry.step > 1);
  }
});

test.each([
  ['one thing at a time, in the same order of policies', oneAfterTheOther()],
  ['sampling, scores and updates as activities of their own', byParts],
])('%s: the same books to the byte', async (_how, takeStep) => {
  const another = await first.another(APART);
  const reference = await overlappedRun(another);
  expect(names(await driveRun(reference, 'run', takeStep))).toEqual(names(driven));
  expect(await booksOf(reference)).toEqual(await booksOf(served));
  await reference.remove();
  await another.stop();
});

/** Nats: of two ways of computing in 32 bits. */
const CLOSE = 1e-3;

test('what is logged of a token is its log-probability under the policy that sampled it, not under the one that learns', async () => {
  const entry = steps[2]!;
  await measureTokens(served.deps, entry.record, unsupervised());
  const [logged] = await roundsOf(entry);
  const measured = (await measuredTokens(served.store, entry.stage, entry.step, 0))!;
  const far = apart(
    logged!.flatMap(group => group.responses.flatMap(({ logprobs }) => logprobs)),
    measured.flatMap(({ logprobs }) => logprobs.flat()),
  );
  expect(far).toBeLessThan(CLOSE);
  expect(sampledBy(entry.record.inputs, 0).name).not.toBe(entry.record.inputs.parent.name);
});

const apart = (a: number[], b: number[]): number => Math.max(...a.map((value, i) => Math.abs(value - b[i]!)));

/**
 * Decoupled policy optimisation (arXiv 2110.00641, eq. 8; truncated, Yao et al. 2025), written out token by token:
 * min(pi_k / sampler, cap) times PPO's clipped term of pi / pi_k, pi_k being the policy that the step begins with.
 */
function slope(token: { sampled: number; began: number; now: number; advantage: number }): {
  slope: number;
  capped: boolean;
  clipped: boolean;
} {
  const weight = Math.exp(token.began - token.sampled);
  const ratio = Math.exp(token.now - token.began);
  const clipped = token.advantage > 0 ? ratio > 1.28 : ratio < 0.8;
  return {
    slope: clipped ? 0 : Math.min(weight, CAP) * ratio * token.advantage,
    capped: weight > CAP,
    clipped,
  };
}

test('each token weighs what it should for having been sampled by an older policy, up to the cap', async () => {
  const met = { capped: 0, clipped: 0, older: 0 };
  for (const entry of steps) {
    const { record } = entry;
    const groups = await trained(entry);
    for (const [u, updated] of chunksOf(groups, OVERLAPPED.rl.promptsPerUpdate).entries()) {
      for (const group of updated) {
        const rewards = group.map(({ reward }) => reward);
        const mean = rewards.reduce((a, b) => a + b) / rewards.length;
        const deviation = Math.sqrt(rewards.reduce((sum, r) => sum + (r - mean) ** 2, 0) / (rewards.length - 1));
        const tokens = group.reduce((sum, { ids }) => sum + ids.length, 0);
        for (const { prompt, ids, logprobs, reward } of group) {
          const { began, now, sent } = computed([...prompt, ...ids], prompt.length - 1, u);
          const expected = ids.map((_, t) =>
            slope({
              ...{ sampled: logprobs[t]!, began: began[t]!, now: now[t]! },
              advantage: (reward - mean) / (deviation + 1e-6) / (tokens * updated.length),
            }),
          );
          expect(
            apart(
              expected.map(({ slope }) => slope),
              sent,
            ),
          ).toBeLessThan(1e-5);
          met.capped += expected.filter(({ capped }) => capped).length;
          met.clipped += expected.filter(({ clipped }) => clipped).length;
          if (record.inputs.sampler && apart(logprobs, began) > 0.05) met.older++;
        }
      }
    }
  }
  expect(Object.values(met).every(count => count > 3)).toBe(true);
});

interface Trained {
  prompt: number[];
  ids: number[];
  logprobs: number[];
  reward: number;
}

/** The first groups whose rewards differ, in the order that they were drawn in. */
async function trained(entry: LogEntry): Promise<Trained[][]> {
  const { rounds }: UpdateRecord['inputs'] = entry.record.inputs;
  const rollouts = (await roundsOf(entry)).flat();
  const scores = (await Promise.all(rounds.map(r => readLines<ScoredRollouts>(served.store, r.scores)))).flat();
  return rollouts
    .map(({ promptIds, responses }, k) =>
      responses.map(({ ids, logprobs }, i) => ({
        ...{ prompt: promptIds, ids, logprobs },
        reward: scores[k]!.responses[i]!.reward!,
      })),
    )
    .filter(group => group.some(({ reward }) => reward !== group[0]!.reward))
    .slice(0, OVERLAPPED.rl.promptsPerStep);
}

const chunksOf = <T>(all: T[], size: number): T[][] =>
  Array.from({ length: Math.ceil(all.length / size) }, (_, k) => all.slice(k * size, (k + 1) * size));

/** What the service computed of a response's tokens when the step began and when its update did, and what it was sent. */
function computed(tokens: number[], from: number, update: number) {
  const key = tokens.join();
  const sent = passes.findIndex(({ sequence, advantages }) => advantages !== null && sequence === key);
  const before = passes.slice(0, sent).filter(({ sequence, advantages }) => advantages === null && sequence === key);
  // Scored once, then computed anew for the update that it is in.
  expect(before.length).toBe(2);
  expect(update).toBeLessThan(2);
  const [began, now] = before.map(({ logprobs }) => logprobs.slice(from));
  return { began: began!, now: now!, sent: passes[sent]!.advantages!.slice(from) };
}
