/** A spec's model as far as its data needs it: tokenizer, chat template and limits. */
import { EngineRequestError } from '../engine/protocol/index.js';
import { InvalidSpecError } from '../spec/index.js';
import type { Models, TextModel } from './text-model.js';

/** Work that takes a while: how it says what it does, and how it is stopped. */
export interface Reading {
  note(doing: string): void;
  signal: AbortSignal;
}

/** @throws InvalidSpecError for a model that is not there or that no second try makes usable */
export async function openModel(
  models: Models,
  name: string,
  { note, signal }: Reading,
  what?: { weights: boolean },
): Promise<{ model: TextModel; source: string }> {
  note(`fetching ${name}`);
  try {
    const { directory, source } = await models.resolve(name, signal, what);
    const model = await models.open(directory);
    if (model.remark) note(model.remark);
    return { model, source };
  } catch (error) {
    // What no second try mends is the spec's mistake; a network that is away is not.
    if (!(error instanceof EngineRequestError)) throw error;
    throw new InvalidSpecError([{ path: 'model', problem: error.message }]);
  }
}
