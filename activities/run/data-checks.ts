/** With which model and data a run's stages could not run, or would say nothing. */
import type { Overlap } from '../datasets/index.js';
import { EngineRequestError } from '../engine/protocol/index.js';
import { adapterOf, type RunSpec, type SpecIssue } from '../spec/index.js';
import type { TextModel } from '../text/index.js';
import { bandOf, inBand } from '../training/index.js';
import { evaluationLimit, type RunData } from './run-data.js';

/** No phase and no evaluation may need more context than the model has, and adapters need layers that it has. */
export function modelIssues(spec: RunSpec, model: TextModel): SpecIssue[] {
  const issues: SpecIssue[] = spec.phases.flatMap((phase, k) => {
    const longest = phase.maxTokens + phase.rl.sampling.maxNewTokens;
    if (longest <= model.contextLength) return [];
    return [
      {
        path: `phases[${k}].maxTokens`,
        problem: `expected at most the model's context of ${model.contextLength} tokens less maxNewTokens (${phase.rl.sampling.maxNewTokens}), found ${phase.maxTokens}`,
      },
    ];
  });
  const { sets, sampling, maxInputTokens } = spec.evaluation;
  const room = model.contextLength - sampling.maxNewTokens;
  if (sets.length > 0 && evaluationLimit(spec, model) > room) {
    issues.push({
      path: 'evaluation.maxInputTokens',
      problem: `expected at most the model's context of ${model.contextLength} tokens less maxNewTokens (${sampling.maxNewTokens}), found ${maxInputTokens}`,
    });
  }
  if (sets.length > 0 && room < 1) {
    issues.push({
      path: 'evaluation.sampling.maxNewTokens',
      problem: `expected less than the model's context of ${model.contextLength} tokens, found ${sampling.maxNewTokens}`,
    });
  }
  const adapter = adapterOf(spec);
  if (adapter) {
    try {
      model.adapterParameters(adapter);
    } catch (error) {
      if (!(error instanceof EngineRequestError)) throw error;
      issues.push({ path: spec.lora ? 'lora.targetModules' : 'engine.lora', problem: error.message });
    }
  }
  return issues;
}

export function dataIssues(spec: RunSpec, model: TextModel, data: RunData): SpecIssue[] {
  return [
    ...emptyPhases(spec, data),
    ...warmupIssues(model, data),
    ...emptySets(data),
    ...withoutEvidence(spec, data),
    ...contamination(spec, data),
  ];
}

/** A sample that does not say what its answer rests on could only be rewarded by another measure than the rest. */
function withoutEvidence(spec: RunSpec, { train }: RunData): SpecIssue[] {
  const without = spec.reward.evidence ? train.filter(({ evidence = [] }) => evidence.length === 0) : [];
  if (without.length === 0) return [];
  return [
    {
      path: 'reward.evidence',
      problem:
        `expected training samples that say which documents their answer rests on; ${without.length} of ${train.length} ` +
        `do not, the first of them ${without[0]!.id}`,
    },
  ];
}

function emptyPhases(spec: RunSpec, { train }: RunData): SpecIssue[] {
  const lengths = train.map(item => item.promptIds.length).sort((a, b) => a - b);
  const range = lengths.length > 0 ? `${lengths[0]} to ${lengths.at(-1)} tokens` : 'no samples at all';
  return spec.phases.flatMap((_, k) => {
    if (train.some(item => inBand(spec, k, item))) return [];
    const { above, upTo } = bandOf(spec, k);
    return [
      {
        path: `phases[${k}].maxTokens`,
        problem: `the phase is empty: expected samples of more than ${above} and at most ${upTo} tokens; the data has ${range}`,
      },
    ];
  });
}

function warmupIssues(model: TextModel, { warmup }: RunData): SpecIssue[] {
  if (warmup === null) return [];
  if (warmup.length === 0) {
    return [
      {
        path: 'warmup.data',
        problem: 'the warm-up is empty: expected samples with a trace and a prompt within warmup.maxTokens',
      },
    ];
  }
  const longest = warmup.reduce((most, item) => Math.max(most, item.promptIds.length + item.responseIds.length), 0);
  if (longest <= model.contextLength) return [];
  return [
    {
      path: 'warmup.maxTokens',
      problem: `expected prompts that fit the model's context of ${model.contextLength} tokens with their traces; the longest has ${longest}`,
    },
  ];
}

function emptySets({ sets }: RunData): SpecIssue[] {
  return sets.flatMap(({ items }, k) =>
    items.length === 0 ? [{ path: `evaluation.sets[${k}].source`, problem: 'the set is empty' }] : [],
  );
}

/** Overlaps that the set does not allow by name. */
export function isAllowed(spec: RunSpec, { set, kind }: Overlap): boolean {
  return spec.evaluation.sets[set]!.allowOverlap.includes(kind);
}

const SHARED: Record<Overlap['kind'], string> = {
  questions: 'ask a question',
  documents: 'rest on a document',
};

function contamination(spec: RunSpec, { overlaps, sets, sources }: RunData): SpecIssue[] {
  return overlaps
    .filter(overlap => !isAllowed(spec, overlap))
    .map(overlap => {
      const { set, source, kind, samples, examples } = overlap;
      const named = (at: string) => `${at} (${sources.find(record => record.at === at)!.source})`;
      const at = `evaluation.sets[${set}].source`;
      const pairs = examples.map(e => `${JSON.stringify(e.evaluation)} (there ${JSON.stringify(e.training)})`);
      const allowed = [...spec.evaluation.sets[set]!.allowOverlap, kind];
      return {
        path: at,
        problem:
          `${samples} of the ${sets[set]!.items.length} samples of ${named(at)} ${SHARED[kind]} that ${named(source)} trains on: ` +
          `${pairs.join(', ')}${samples > pairs.length ? ', …' : ''}. Leave them out of one of the two, or say that it is ` +
          `meant: evaluation.sets[${set}].allowOverlap: [${allowed.join(', ')}]`,
      };
    });
}
