/** The official metrics of each benchmark, of one answer. */
import { BENCHMARKS, type BenchmarkName, type OfficialMetric } from '../benchmarks.js';
import { docmathAccuracy } from './docmath.js';
import { rougeL } from './rouge.js';
import { exactMatch, type F1Rules, tokenF1 } from './squad.js';
import { choiceAccuracy, markedSimilarity, matchAll, matchPart } from './whole-response.js';

type Metric = (prediction: string, gold: string) => number;

const f1 =
  (rules: F1Rules): Metric =>
  (prediction, gold) =>
    tokenF1(prediction, gold, rules);

const HOTPOT: Record<'em' | 'f1', Metric> = { em: exactMatch, f1: f1({ empty: 'zero', verdicts: true }) };
const PLAIN_F1 = f1({ empty: 'zero', verdicts: false });

/** Those that read all of a response, and not the answer found in it. */
const OF_RESPONSE: readonly OfficialMetric[] = ['choice', 'similarity', 'match-all', 'match-part'];

const METRICS: { [B in BenchmarkName]: Partial<Record<OfficialMetric, Metric>> } = {
  docmath: { accuracy: docmathAccuracy },
  frames: {},
  '2wikimultihopqa': HOTPOT,
  hotpotqa: HOTPOT,
  musique: { em: exactMatch, f1: f1({ empty: 'agreement', verdicts: false }) },
  narrativeqa: { 'rouge-l': rougeL, f1: PLAIN_F1 },
  qasper: { f1: PLAIN_F1 },
  'longbench-v2': { choice: choiceAccuracy },
  mrcr: { similarity: markedSimilarity },
  ruler: { 'match-all': matchAll },
  'ruler-qa': { 'match-part': matchPart },
  custom: { em: exactMatch, f1: PLAIN_F1 },
};

/** What stands for no answer at all; else the empty string. DocMath's script reads that as 0, which some golds are. */
const NOTHING: Partial<Record<OfficialMetric, string>> = { accuracy: 'None' };

/**
 * The metrics that BENCHMARKS names for it, each from 0 to 1 and the best over the gold answers. The prediction is the answer
 * found in the response, null where none was. Throws RangeError without golds, and
 * for a DocMath gold that is no number.
 * @param response all that the response says, for the metrics that read it whole
 */
export function officialScores(
  benchmark: BenchmarkName,
  prediction: string | null,
  golds: readonly string[],
  response: string = prediction ?? '',
): Record<string, number> {
  if (golds.length === 0) throw new RangeError(`benchmark ${benchmark}: expected at least one gold answer`);
  const metrics: Partial<Record<OfficialMetric, Metric>> = METRICS[benchmark];
  return Object.fromEntries(
    BENCHMARKS[benchmark].official.map(name => [
      name,
      Math.max(
        ...golds.map(gold =>
          metrics[name]!(OF_RESPONSE.includes(name) ? response : (prediction ?? NOTHING[name] ?? ''), gold),
        ),
      ),
    ]),
  );
}
