/** Activities that answer at once, with what the real ones answer in kind and in size. */
import type { PolicyRef } from '../../../activities/contract/index.js';
import type { ControlActivities, EngineActivities } from '../../../activities/index.js';
import {
  type ArtifactRef,
  attemptUri,
  checkpointUri,
  dataUri,
  poolUri,
  sha256,
  specUri,
  stepUri,
} from '../../../activities/store/index.js';

export type Instant = Pick<
  ControlActivities,
  'prepareRun' | 'claimAttempt' | 'buildPool' | 'recordDifficulty' | 'summarizeSteps' | 'exportPolicy'
> &
  Pick<EngineActivities, 'importBase' | 'trainSteps' | 'snapshot'>;

/** The spec's default. */
const SNAPSHOT_EVERY = 10;

/**
 * A run of one phase.
 * @param onStep told when a step is done
 */
export function instantActivities(steps: number, onStep: (step: number) => void): Instant {
  const ref = (uri: string): ArtifactRef => ({ uri, sha256: sha256(uri) });
  const policy = (run: string, uri: string): PolicyRef => {
    const name = sha256(`${run} ${uri}`).slice(0, 32);
    return { name, uri, sha256: sha256(uri) };
  };
  return {
    prepareRun: async ({ run }) => ({
      spec: ref(specUri(run)),
      model: 'instant',
      data: { train: ref(dataUri(run, 'train')), warmup: null, sets: [] },
      stages: [{ name: 'phase-1', attempt: 1, overrides: {} }],
      evaluate: [],
      counts: { train: 4800, beyondLastPhase: 0, bands: [4800], warmup: 0, warmupLeftOut: 0 },
    }),
    importBase: async ({ run }) => policy(run, checkpointUri(run, 'base')),
    claimAttempt: async ({ stage }) => ({
      spec: ref(specUri(stage.run)),
      steps,
      snapshotEvery: SNAPSHOT_EVERY,
      rl: { promptsPerStep: 16, maxRefills: 3, ruleAlone: true, minEffectiveGroups: 1, patience: 5, onMissing: 'stop' },
    }),
    buildPool: async ({ stage }) => ({
      pool: ref(poolUri(stage)),
      counts: { band: 4800, carried: 0, candidates: 0 },
    }),
    trainSteps: async ({ stage, step }) => {
      onStep(step);
      return {
        policy: policy(stage.run, stepUri(stage, step, 'update.json')),
        counts: {
          ...{ drawn: 16, carriedDrawn: 5, effective: 16, carriedEffective: 5, noVariance: 0, unscored: 0 },
          ...{ surplus: 0, trained: 16, meanReward: 0.5, passRate: 0.5 },
        },
        metrics: { loss: -1 / 79, gradNorm: 1 / 7, entropy: 1 / 13 },
        ...{ step, drawn: 16, skipped: false, newTokens: 2500, updateSeconds: 0.7 },
      };
    },
    snapshot: async ({ stage, policy }) => ({ ...policy, uri: checkpointUri(stage.run, policy.name) }),
    recordDifficulty: async ({ stage }) => ref(attemptUri(stage, 'difficulty.json')),
    summarizeSteps: async ({ stage }) => ref(attemptUri(stage, 'steps.jsonl')),
    exportPolicy: async result => result,
  };
}
