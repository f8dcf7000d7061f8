/** One sample of a run's training data: the question, its gold answers, and what it rests on. */
import type { PromptItem } from '../../activities/artifacts/index.js';
import { dataUri, type Store } from '../../activities/store/index.js';
import { isDamage } from './errors.js';
import { Recent } from './recent.js';
import { basisOf } from './stages.js';

export type Sample = Omit<PromptItem, 'promptIds'> & { promptTokens: number };

/** Without their tokens they are small. */
const SAMPLES = 512;

export class Samples {
  readonly #known = new Recent<Sample>(SAMPLES);

  constructor(private readonly store: Store) {}

  /** Null where the data does not have it, or is damaged: `problem` is told. */
  async at(run: string, index: number, problem: (message: string) => void): Promise<Sample | null> {
    const key = `${run}/${index}`;
    const known = this.#known.get(key);
    if (known) return known;
    const { plan } = await basisOf(this.store, run);
    try {
      const ref = plan?.data.train ?? (await this.store.find(dataUri(run, 'train')));
      const line = ref && lineAt(await this.store.readText(ref), index);
      if (!line) return null;
      const { promptIds, ...sample } = JSON.parse(line) as PromptItem;
      return this.#known.set(key, { ...sample, promptTokens: promptIds.length });
    } catch (error) {
      if (!isDamage(error)) throw error;
      problem(error.message);
      return null;
    }
  }
}

/** One line alone is parsed: together the prompts are long. */
function lineAt(text: string, index: number): string | null {
  let from = 0;
  for (let line = 0; line < index; line++) {
    from = text.indexOf('\n', from) + 1;
    if (from === 0) return null;
  }
  const to = text.indexOf('\n', from);
  return to < 0 ? null : text.slice(from, to);
}
