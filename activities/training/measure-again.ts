/**
 * Difficulty measured again at the next phase's length (QwenLong-L1.5, arXiv 2512.12967): before a phase the policy that it
 * begins with answers earlier samples as the phase will have it answer, so that what is carried over is what is difficult
 * by then, not what was difficult when it was last drawn.
 */
import {
  type DifficultyRecord,
  ENGINE_PARTS,
  type PartList,
  type PromptItem,
  partStarts,
  type RolloutGroup,
  readData,
  readKept,
  readParts,
  rewardsOf,
} from '../artifacts/index.js';
import type { PolicyRef } from '../contract/index.js';
import type { Dependencies, EngineDependencies } from '../dependencies.js';
import { permutation, randomStream } from '../engine/random.js';
import { ensurePolicyLoaded, Publications, textModelOf } from '../policies/index.js';
import type { RunSpec } from '../spec/index.js';
import {
  type ArtifactRef,
  attemptUri,
  fenceOf,
  jsonText,
  linesText,
  readJson,
  type StageAttempt,
} from '../store/index.js';
import { type Supervision, supervised } from '../supervision/index.js';
import { candidatesOf, difficultiesOf } from './build-pool.js';
import { phaseOf } from './phase-of.js';
import { scoreGroups } from './score.js';

export interface AnswerAgainInput {
  stage: StageAttempt;
  spec: ArtifactRef;
  data: ArtifactRef;
  /** Who the phase begins with. */
  policy: PolicyRef;
  /** Of the phases before, in order. */
  difficulties: ArtifactRef[];
}

export interface RecordAgainInput extends Pick<AnswerAgainInput, 'stage' | 'spec' | 'data'> {
  /** A PartList of what `answerAgain` gave. */
  responses: ArtifactRef;
}

/** The policy's responses to earlier samples, published part by part. */
export function answerAgain(deps: EngineDependencies) {
  return (input: AnswerAgainInput): Promise<ArtifactRef> =>
    supervised('measuring difficulty again', async supervision => {
      const { store } = deps;
      const { stage } = input;
      const uri = againUri(stage, 'responses.json');
      const published = await store.find(uri);
      if (published) return published;
      const spec = await readKept<RunSpec>(store, input.spec);
      const asked = await askedAgain(deps, spec, input);
      const { sampling, groupSize } = phaseOf(spec, stage.stage).rl;
      const responses = spec.retrospective.remeasure!.responses ?? groupSize;
      const lengths = asked.map(({ promptIds }) => promptIds.length + responses * sampling.maxNewTokens);
      const starts = partStarts(lengths, ENGINE_PARTS);
      return Publications.during(store, supervision.check, async publications => {
        const list: PartList = { count: asked.length, parts: [] };
        for (const [k, from] of starts.entries()) {
          supervision.note(`measuring difficulty again: ${from} of ${asked.length}`);
          const groups = asked.slice(from, starts[k + 1]);
          const at = againUri(stage, `${from}.jsonl`);
          let ref = await store.find(at);
          if (!ref) {
            const sampled = await answered(deps, spec, input, groups, responses, supervision);
            ref = publications.text(at, linesText(sampled), fenceOf(stage));
          }
          list.parts.push({ ...ref, from, count: groups.length });
        }
        return publications.text(uri, jsonText(list), fenceOf(stage));
      });
    });
}

/** Their mean rewards, as a record that is later than those of the phases before. */
export function recordAgain(deps: Dependencies) {
  return ({ stage, spec, data, responses }: RecordAgainInput): Promise<ArtifactRef> =>
    supervised('scoring what was measured again', async supervision => {
      const { store } = deps;
      const uri = againUri(stage, 'difficulty.json');
      const published = await store.find(uri);
      if (published) return published;
      const record: DifficultyRecord = { samples: [] };
      for await (const { lines } of readParts<RolloutGroup>(store, await readJson<PartList>(store, responses))) {
        const { scored } = await scoreGroups(deps, { stage, spec, data }, lines, supervision);
        for (const group of scored) {
          const rewards = rewardsOf([group]);
          // What nobody could score keeps the difficulty that it had.
          if (rewards.length === 0) continue;
          const { index, id } = group;
          record.samples.push({ index, id, responses: rewards.length, meanReward: group.meanReward! });
        }
      }
      supervision.check();
      // A judge that is asked twice may answer twice: of two workers the first decides for both.
      return store.publishFirst(uri, jsonText(record), fenceOf(stage));
    });
}

const againUri = (stage: StageAttempt, file: string): string => attemptUri(stage, 'again', file);

type AskedAgain = Omit<RolloutGroup, 'responses'>;

/** The samples that could be carried over or, of too many, a draw of them; by their places in the data. */
async function askedAgain(
  { store }: EngineDependencies,
  spec: RunSpec,
  { stage, data, difficulties, policy }: AnswerAgainInput,
): Promise<AskedAgain[]> {
  const items = await readData<PromptItem>(store, data);
  const candidates = candidatesOf(stage, spec, items, await difficultiesOf(store, difficulties));
  const name = [spec.seed, stage.stage, stage.attempt, 'again'] as const;
  const most = spec.retrospective.remeasure!.samples ?? candidates.length;
  const drawn = permutation(candidates.length, randomStream(...name)).slice(0, most);
  return drawn
    .sort((a, b) => a - b)
    .map((k, cursor) => {
      const { index } = candidates[k]!;
      const { id, promptIds } = items[index]!;
      return { policy: policy.name, id, index, origin: 'carried', cursor, seed: [...name, id].join('/'), promptIds };
    });
}

async function answered(
  deps: EngineDependencies,
  spec: RunSpec,
  { stage, policy }: AnswerAgainInput,
  groups: readonly AskedAgain[],
  responses: number,
  supervision: Supervision,
): Promise<RolloutGroup[]> {
  await ensurePolicyLoaded(deps, policy, 'fresh', supervision);
  const { stopIds } = await textModelOf(deps, stage.run);
  const sampled = await deps.engine.call(
    'generate',
    {
      prompts: groups.map(({ promptIds, seed }) => ({ ids: promptIds, seed })),
      group: responses,
      sampling: { ...phaseOf(spec, stage.stage).rl.sampling, stopIds },
    },
    supervision.call,
  );
  return groups.map((group, k) => ({ ...group, responses: sampled.groups[k]!.responses }));
}
