/** What a spec's rewards need beside the spec: files, read before anything else, and keys in the worker's environment. */
import { readFile } from 'node:fs/promises';
import { checkKey, type Environment } from '../remote/index.js';
import { type CustomSettings, type JudgeSettings, judgePromptProblem, moduleHash } from '../rewards/index.js';
import { InvalidSpecError } from './spec-issues.js';

/** A spec of a run or of an evaluation, which has no reward of the user's own. */
interface RewardingSpec {
  reward: { judge: JudgeSettings | null; custom?: CustomSettings | null };
}

/**
 * The spec with the judge's prompt as its file says, so that it is part of the run's record and no other worker needs the
 * file.
 * @param known a spec in which the file's text is already: of a run that goes on, whatever has become of the file
 * @throws InvalidSpecError for a file that cannot be read, or a prompt that will not do
 */
export async function withRewardFiles<S extends RewardingSpec>(spec: S, known: S | null): Promise<S> {
  const { judge, custom } = spec.reward;
  if (custom?.module != null && known === null) {
    await moduleHash(custom.module).catch((error: Error) => refuse('reward.custom.module', error.message));
  }
  if (judge === null || judge.promptFile === null) return spec;
  const before = known?.reward.judge ?? null;
  const prompt = before?.promptFile === judge.promptFile ? before.prompt : await readPrompt(judge.promptFile);
  return { ...spec, reward: { ...spec.reward, judge: { ...judge, prompt } } };
}

async function readPrompt(file: string): Promise<string> {
  const path = 'reward.judge.promptFile';
  const prompt = await readFile(file, 'utf8').catch((error: Error) => refuse(path, error.message));
  const problem = judgePromptProblem(prompt);
  return problem === null ? prompt : refuse(path, `${file}: ${problem}`);
}

/** @throws MissingKeyError */
export function checkRewardKeys(
  { environment }: { environment: Environment },
  { reward: { judge, custom } }: RewardingSpec,
): void {
  if (judge) checkKey(judge, environment);
  if (custom?.url != null) checkKey({ ...custom, url: custom.url }, environment);
}

function refuse(path: string, problem: string): never {
  throw new InvalidSpecError([{ path, problem }]);
}
