/** What the page asks for below /data/, and who answers. */
import { textModelOf } from '../../activities/policies/index.js';
import type { Store } from '../../activities/store/index.js';
import type { Models } from '../../activities/text/index.js';
import { StepRows } from './curves.js';
import { NotThereError } from './errors.js';
import { groupOf, type TextOf } from './group.js';
import type { LiveRuns } from './live.js';
import { runPage } from './run.js';
import { runsPage } from './runs.js';
import { Scores } from './scores.js';
import { stepPage } from './step.js';

export interface AnswersOptions {
  store: Store;
  models: Pick<Models, 'open'>;
  live: LiveRuns;
}

export class Answers {
  readonly #rows = new StepRows();
  readonly #scores = new Scores();
  readonly #text: TextOf;

  constructor(private readonly options: AnswersOptions) {
    this.#text = run => textModelOf(options, run);
  }

  /**
   * @param path `runs`, `runs/RUN`, `runs/RUN/STAGE/ATTEMPT/STEP`, and with `/ROUND/LINE` one group of the step
   * @throws NotThereError, and what the store throws
   */
  async at(path: readonly string[]): Promise<unknown> {
    const { store, live } = this.options;
    const [runs, run, stage, ...numbers] = path;
    if (runs !== 'runs') throw nothingAt(path);
    if (run === undefined) return runsPage(store, live, this.#scores);
    if (stage === undefined) return runPage(store, live, this.#rows, this.#scores, run);
    const [attempt, step, round, line] = numbers.map(text => naturalOf(text, path));
    const at = { stage: { run, stage, attempt: attempt! }, step: step! };
    if (numbers.length === 2) return stepPage(store, at);
    if (numbers.length === 4) return groupOf(store, this.#text, { ...at, round: round!, line: line! });
    throw nothingAt(path);
  }
}

function naturalOf(text: string, path: readonly string[]): number {
  if (!/^(0|[1-9]\d{0,8})$/.test(text)) throw nothingAt(path);
  return Number(text);
}

const nothingAt = (path: readonly string[]) => new NotThereError(`there is no /data/${path.join('/')}`);
