/** What the page asks for below /data/, and who answers. */
import { textModelOf } from '../../activities/policies/index.js';
import type { OpenedStore } from '../../activities/store/index.js';
import type { Models } from '../../activities/text/index.js';
import { comparedRuns, comparePage } from './compare.js';
import type { RunControl } from './control.js';
import { curriculumPage } from './curriculum.js';
import { curvesCsv } from './curves-csv.js';
import { Differences } from './differences.js';
import { Draws } from './draws.js';
import { BadRequestError, NotThereError } from './errors.js';
import { evaluationsPage, namedEvaluation, runEvaluations } from './evaluations.js';
import { groupOf } from './group.js';
import type { RunHistories } from './history.js';
import { type ItemsWanted, itemsPage } from './items.js';
import type { LiveRuns } from './live.js';
import { RunMarks } from './marks.js';
import { proofPage } from './proof.js';
import { questionPage } from './question.js';
import { type Route, type RouteName, routeOf } from './routes.js';
import { runPage } from './run.js';
import { CurveReader } from './run-curves.js';
import { RunSummaries } from './runs.js';
import { Samples } from './samples.js';
import { Scores } from './scores.js';
import { stepPage } from './step.js';
import { StepRows } from './step-rows.js';
import { Studies } from './studies.js';

export interface AnswersOptions {
  store: OpenedStore;
  models: Pick<Models, 'open'>;
  live: LiveRuns;
  histories: RunHistories;
  /** Null where nothing may be done. */
  control: RunControl | null;
}

/** An answer that is no JSON. */
export class TextFile {
  constructor(
    readonly name: string,
    readonly type: string,
    readonly text: string,
  ) {}
}

type Answer = (route: Route, query: URLSearchParams) => Promise<unknown>;

export class Answers {
  readonly #answers: Record<RouteName, Answer>;

  constructor({ store, models, live, histories, control }: AnswersOptions) {
    const rows = new StepRows(store);
    const scores = new Scores(store);
    const differences = new Differences(store);
    const samples = new Samples(store);
    const draws = new Draws(store, rows);
    const curves = new CurveReader(store, rows);
    const marks = new RunMarks(store, histories);
    const studies = new Studies(store);
    const summaries = new RunSummaries(store, live, scores);
    const textOf = (run: string) => textModelOf({ store, models }, run);
    const runOf = ({ texts }: Route) => texts.run!;
    this.#answers = {
      runs: () => summaries.all(),
      control: async () => ({ presets: control ? await control.presets() : null }),
      run: route => runPage({ store, live, curves, scores, marks }, runOf(route)),
      curves: async route => {
        const run = runOf(route);
        return new TextFile(`${run}.csv`, 'text/csv; charset=utf-8', await curvesCsv({ store, curves }, run));
      },
      compare: (_, query) => comparePage({ store, curves }, query.getAll('run')),
      curriculum: route => curriculumPage({ store, draws }, runOf(route)),
      evaluations: () => evaluationsPage(store),
      compareDifferences: (_, query) => differences.ofRuns(comparedRuns(query.getAll('run'))),
      evaluation: ({ texts }) => namedEvaluation(store, texts.name!),
      evaluationDifferences: ({ texts }, query) => differences.ofModels(texts.name!, ...pairOf(query)),
      runEvaluations: route => runEvaluations(scores, runOf(route)),
      runDifferences: (route, query) => differences.ofPolicies(runOf(route), ...pairOf(query)),
      evaluationItems: ({ texts }, query) => itemsPage(store, { name: texts.name! }, wantedOf(query)),
      runItems: (route, query) => itemsPage(store, { run: runOf(route) }, wantedOf(query)),
      studies: () => studies.all(),
      study: ({ texts }) => studies.one(texts.name!),
      proof: route => proofPage({ store, rows, histories }, runOf(route)),
      question: route => questionPage({ draws, samples }, runOf(route), route.numbers.index!),
      step: route => stepPage(store, stepOf(route)),
      group: route => {
        const { round, line } = route.numbers;
        return groupOf({ store, samples, textOf }, { ...stepOf(route), round: round!, line: line! });
      },
    };
  }

  /**
   * @param path decoded segments, as in routes.ts
   * @throws NotThereError, BadRequestError, and what the store throws
   */
  async at(path: readonly string[], query: URLSearchParams): Promise<unknown> {
    const route = routeOf(path);
    if (!route) throw new NotThereError(`there is no /data/${path.join('/')}`);
    return this.#answers[route.name](route, query);
  }
}

function stepOf({ texts, numbers }: Route) {
  const { run, stage } = texts;
  return { stage: { run: run!, stage: stage!, attempt: numbers.attempt! }, step: numbers.step! };
}

const pairOf = (query: URLSearchParams): [a: string, b: string] => [wanted(query, 'a'), wanted(query, 'b')];

const wantedOf = (query: URLSearchParams): ItemsWanted => {
  const [a, b] = pairOf(query);
  return { set: wanted(query, 'set'), a, b, item: query.get('item') };
};

function wanted(query: URLSearchParams, name: string): string {
  const value = query.get(name);
  if (value === null)
    throw new BadRequestError(`"${name}" is missing: expected ?a=POLICY&b=POLICY, and for items set=SET`);
  return value;
}
