/** The seven benchmarks of the paper's table (arXiv 2505.17667, section 4), later ones, and `custom` for a user's own questions. */
import type { Task } from '../datasets/index.js';

/** What the authors of a benchmark score answers by, from 0 to 1. */
export const OFFICIAL_METRICS = {
  em: 'exact match',
  f1: 'token F1',
  'rouge-l': 'ROUGE-L',
  accuracy: 'accuracy within tolerance',
  choice: 'accuracy of the chosen letter',
  similarity: 'similarity to the right answer',
  'match-all': 'share of the answers that are there',
  'match-part': 'whether an answer is there',
} as const;

export type OfficialMetric = keyof typeof OFFICIAL_METRICS;

export interface Benchmark {
  /** As the table's columns read. */
  title: string;
  task: Task;
  /** The first is the one a table shows; none where the authors let a language model judge. */
  official: readonly OfficialMetric[];
  /**
   * What its score is, where that is not max(rule, judge): the first official metric, as of tasks that ask for a text or for
   * several answers, which neither knows how to compare.
   */
  score?: 'official';
  /** Items in the paper's evaluation; null where it has none. */
  paperItems: number | null;
  /** Kinds of data source that hold it in its own format; any benchmark may also come as JSON lines. */
  sources: readonly string[];
  citation: string | null;
}

export type BenchmarkName =
  | 'docmath'
  | 'frames'
  | '2wikimultihopqa'
  | 'hotpotqa'
  | 'musique'
  | 'narrativeqa'
  | 'qasper'
  | 'longbench-v2'
  | 'mrcr'
  | 'ruler'
  | 'ruler-qa'
  | 'custom';

export const BENCHMARKS: Record<BenchmarkName, Benchmark> = {
  docmath: {
    title: 'DocMath',
    task: 'docmath',
    official: ['accuracy'],
    paperItems: 200,
    sources: ['docmath'],
    citation: 'Zhao et al. 2024, DocMath-Eval, arXiv 2311.09805',
  },
  frames: {
    title: 'Frames',
    task: 'docqa',
    // Its authors have Gemini rate the answers, by a prompt: max(rule, judge) is the only score there is.
    official: [],
    paperItems: 824,
    sources: ['frames'],
    citation: 'Krishna et al. 2024, Fact, Fetch, and Reason, arXiv 2409.12941',
  },
  '2wikimultihopqa': {
    title: '2WikiMultihopQA',
    task: 'docqa',
    official: ['f1', 'em'],
    paperItems: 200,
    sources: ['2wikimultihopqa', 'longbench'],
    citation: 'Ho et al. 2020, Constructing a Multi-hop QA Dataset, arXiv 2011.01060',
  },
  hotpotqa: {
    title: 'HotpotQA',
    task: 'docqa',
    official: ['f1', 'em'],
    paperItems: 200,
    sources: ['hotpotqa', 'longbench'],
    citation: 'Yang et al. 2018, HotpotQA, arXiv 1809.09600',
  },
  musique: {
    title: 'MuSiQue',
    task: 'docqa',
    official: ['f1', 'em'],
    paperItems: 200,
    sources: ['musique', 'longbench'],
    citation: 'Trivedi et al. 2022, MuSiQue, arXiv 2108.00573',
  },
  narrativeqa: {
    title: 'NarrativeQA',
    task: 'docqa',
    official: ['rouge-l', 'f1'],
    paperItems: 200,
    sources: ['narrativeqa', 'longbench'],
    citation: 'Kočiský et al. 2018, The NarrativeQA Reading Comprehension Challenge, arXiv 1712.07040',
  },
  qasper: {
    title: 'Qasper',
    task: 'docqa',
    official: ['f1'],
    paperItems: 200,
    sources: ['qasper', 'longbench'],
    citation: 'Dasigi et al. 2021, Qasper, arXiv 2105.03011',
  },
  'longbench-v2': {
    title: 'LongBench v2',
    task: 'choice',
    official: ['choice'],
    paperItems: null,
    sources: ['longbench'],
    citation: 'Bai et al. 2024, LongBench v2, arXiv 2412.15204',
  },
  mrcr: {
    title: 'MRCR',
    task: 'docqa',
    official: ['similarity'],
    score: 'official',
    paperItems: null,
    sources: ['mrcr'],
    citation: 'OpenAI 2025, MRCR, after Vodrahalli et al. 2024, Michelangelo, arXiv 2409.12640',
  },
  ruler: {
    title: 'RULER',
    task: 'docqa',
    official: ['match-all'],
    score: 'official',
    paperItems: null,
    sources: ['ruler', 'ruler-files'],
    citation: 'Hsieh et al. 2024, RULER, arXiv 2404.06654',
  },
  'ruler-qa': {
    title: 'RULER QA',
    task: 'docqa',
    official: ['match-part'],
    score: 'official',
    paperItems: null,
    sources: [],
    citation: 'Hsieh et al. 2024, RULER, arXiv 2404.06654',
  },
  custom: {
    title: 'custom',
    task: 'docqa',
    official: ['f1', 'em'],
    paperItems: null,
    sources: ['jsonl'],
    citation: null,
  },
};

/** In the order of the paper's table. */
export const PAPER_BENCHMARKS = [
  'docmath',
  'frames',
  '2wikimultihopqa',
  'hotpotqa',
  'musique',
  'narrativeqa',
  'qasper',
] as const satisfies readonly BenchmarkName[];

export function isBenchmark(name: string): name is BenchmarkName {
  return Object.hasOwn(BENCHMARKS, name);
}

/** Where the published rows are from. */
export const PUBLISHED_SOURCE = 'arXiv 2505.17667';
export const LATER_SOURCE = 'arXiv 2512.12967';
