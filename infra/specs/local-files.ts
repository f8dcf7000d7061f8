/** Whether the files of an evaluation spec are on this machine: said before anything is started for it. */
import { DataError, locate } from '../../activities/datasets/index.js';
import { readConfig, resolveModel } from '../../activities/engine/folders/index.js';
import { EngineRequestError } from '../../activities/engine/protocol/index.js';
import type { EvaluationSpec, SpecIssue } from '../../activities/spec/index.js';

/** Data files that are not there, and folders that hold no model of a kind that is known. Names on the Hub are left alone. */
export async function missingFiles({ model, tokenizer, benchmarks }: EvaluationSpec): Promise<SpecIssue[]> {
  const looked = [
    look('model.folder', model.folder, lookAtModel),
    look('tokenizer', tokenizer, lookForModel),
    ...benchmarks.flatMap(({ source }, k) => {
      const at = `benchmarks[${k}].source`;
      return [
        look(`${at}.path`, 'path' in source ? source.path : undefined, lookForData),
        look(`${at}.distractors.from.path`, poolPath(source), lookForData),
      ];
    }),
  ];
  return (await Promise.all(looked)).flat();
}

type Source = EvaluationSpec['benchmarks'][number]['source'];

function poolPath(source: Source): string | undefined {
  const from = 'distractors' in source ? source.distractors?.from : undefined;
  return from && typeof from === 'object' && 'path' in from ? from.path : undefined;
}

const NO_HUB = { cacheDir: '' };
const lookForData = (path: string) => locate(path, NO_HUB);
const lookForModel = (folder: string) => resolveModel(folder, NO_HUB);

async function lookAtModel(folder: string): Promise<void> {
  await readConfig((await lookForModel(folder)).directory);
}

async function look(path: string, place: string | undefined, at: (place: string) => unknown): Promise<SpecIssue[]> {
  if (place === undefined || place.startsWith('hf:')) return [];
  try {
    await at(place);
    return [];
  } catch (error) {
    if (error instanceof DataError || error instanceof EngineRequestError) return [{ path, problem: error.message }];
    throw error;
  }
}
