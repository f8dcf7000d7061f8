/**
 * Begins an attempt of a stage: from here on only this attempt may publish in it. Gives the workflow what it needs to
 * know of the stage's settings.
 */
import { readData, type TraceItem } from '../artifacts/index.js';
import type { EngineKind, SnapshotRule } from '../contract/index.js';
import type { Dependencies } from '../dependencies.js';
import { snapshotCost } from '../policies/index.js';
import {
  type CheckpointSettings,
  InvalidSpecError,
  type RunSpec,
  validateSpec,
  withRewardFiles,
} from '../spec/index.js';
import {
  type ArtifactRef,
  attemptUri,
  claimStage,
  phaseNumber,
  publishJson,
  readJson,
  type StageAttempt,
  stageUri,
} from '../store/index.js';
import { supervised } from '../supervision/index.js';
import { phaseOf } from '../training/index.js';

export interface ClaimAttemptInput {
  stage: StageAttempt;
  spec: ArtifactRef;
  /** Warm-up data; null for a phase. */
  warmupData: ArtifactRef | null;
  /** Dotted spec paths and the values they have in this attempt alone. */
  overrides: Record<string, unknown>;
  /** The run's, which may have changed since its spec was published; the spec's where an earlier version did not say. */
  checkpoints?: CheckpointSettings;
  /** Likewise the run's. */
  shards?: number;
}

/** What a stage's workflow decides by. */
export interface StageSettings {
  /** The spec with this attempt's overrides. */
  spec: ArtifactRef;
  steps: number;
  snapshotEvery: SnapshotRule;
  /** How long an activity of several steps should take; absent in histories of earlier versions. */
  blockSeconds?: number;
  /** How many of the stage's snapshots stay; absent in histories of earlier versions. */
  keep?: CheckpointSettings['keep'];
  /** Which engine trains it; absent of the workers' own. */
  engine?: EngineKind;
  /** Whether difficulty is measured again before the phase begins; absent where it is not. */
  remeasure?: true;
  /** Phases only. */
  rl: {
    promptsPerStep: number;
    maxRefills: number;
    /** Whether nobody else is asked for rewards; absent in histories of earlier versions. */
    ruleAlone?: boolean;
    minEffectiveGroups: number;
    patience: number;
    onMissing: 'stop' | 'continue';
    /** Whether the next step's first round is sampled beside an update; absent where it is not. */
    overlap?: true;
    /** How many a step's rollouts are cut into; absent where they are not. */
    shards?: number;
  } | null;
}

/** Long beside the way from one activity to the next (some 25 ms), short beside what a person waits for. */
const BLOCK_SECONDS = 6;

/** Where overrides may reach: what was tokenised, imported or trained before stays as it is. */
export const CHANGEABLE =
  /^(seed$|rl\.|reward\.(?!evidence)|phases[.[]|retrospective\.|warmup\.(epochs$|batchSize$|optimizer\.)|checkpoints\.|engine\.microBatchTokens$)/;

export function claimAttempt(deps: Dependencies) {
  return ({ stage, spec, warmupData, overrides, checkpoints, shards }: ClaimAttemptInput): Promise<StageSettings> =>
    supervised('claiming the attempt', async () => {
      const run = validateSpec(await readJson<RunSpec>(deps.store, spec));
      const changed = validateSpec(run, forStage(stage.stage, overrides));
      const sameFile = changed.reward.judge?.promptFile === run.reward.judge?.promptFile;
      const settings = sameFile ? changed : await withRewardFiles(changed, null);
      await claimStage(deps.store, stageUri(stage), { attempt: stage.attempt, overrides });
      const own = validateSpec(
        { ...run, checkpoints: checkpoints ?? run.checkpoints },
        forStage(stage.stage, overrides),
      );
      const common = {
        spec: Object.keys(overrides).length === 0 ? spec : await attemptSpec(deps, stage, settings),
        snapshotEvery: await snapshotRule(deps, stage.run, own),
        blockSeconds: BLOCK_SECONDS,
        keep: own.checkpoints.keep,
        ...(run.engine.kind && { engine: run.engine.kind }),
      };
      if (stage.stage === 'warmup') {
        const items = await readData<TraceItem>(deps.store, warmupData!);
        const { epochs, batchSize } = settings.warmup!;
        return { ...common, steps: epochs * Math.ceil(items.length / batchSize), rl: null };
      }
      const phase = phaseOf(settings, stage.stage);
      const { promptsPerStep, maxRefills, signal } = phase.rl;
      const again = settings.retrospective.remeasure !== undefined && phaseNumber(stage.stage) > 1;
      return {
        ...common,
        ...(again && { remeasure: true as const }),
        steps: phase.steps,
        rl: {
          promptsPerStep,
          maxRefills,
          ruleAlone: !deps.rewarder(settings.reward).asksOthers,
          ...signal,
          ...(phase.rl.overlap && { overlap: true as const }),
          ...(shards !== undefined && shards > 1 && { shards }),
        },
      };
    });
}

/** Published once: the claim says that the overrides are the same, and a later version may have more fields to fill in. */
async function attemptSpec({ store }: Dependencies, stage: StageAttempt, settings: RunSpec): Promise<ArtifactRef> {
  const uri = attemptUri(stage, 'spec.json');
  return (await store.find(uri)) ?? publishJson(store, uri, settings);
}

async function snapshotRule(deps: Dependencies, run: string, spec: RunSpec): Promise<SnapshotRule> {
  const { everySteps, meanTimeBetweenFailures: hours } = spec.checkpoints;
  if (everySteps !== 'auto') return everySteps;
  return { cost: await snapshotCost(deps, run, spec), meanTimeBetweenFailures: hours * 3600 };
}

/** The spec in the store spells out each phase's settings, so `rl.…` is meant for this phase's. */
function forStage(stage: string, overrides: Record<string, unknown>): Record<string, unknown> {
  const refused = Object.keys(overrides).filter(path => !CHANGEABLE.test(path));
  if (refused.length > 0) {
    throw new InvalidSpecError(
      refused.map(path => ({
        path,
        problem:
          'a replay cannot change it: expected seed, rl.…, reward.… (evidence apart), phases.…, retrospective.…, warmup.…, checkpoints.… or engine.microBatchTokens',
      })),
    );
  }
  if (stage === 'warmup') return overrides;
  const own = `phases.${phaseNumber(stage) - 1}.`;
  return Object.fromEntries(
    Object.entries(overrides).map(([path, value]) => [path.startsWith('rl.') ? own + path : path, value]),
  );
}
