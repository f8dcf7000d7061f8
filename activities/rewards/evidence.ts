/** Rewarding what an answer rests on: the documents that a response cites, as "[3]" or "Evidence: [1], [3]". */
import { type ResponseContext, saidIn } from './said.js';
import type { EvidenceSettings } from './settings.js';

/** Numbers cited after the thinking: on the last line that begins with "Evidence:", where there is one, else anywhere. */
export function citedDocuments(response: string, context?: ResponseContext): Set<number> {
  const said = saidIn(response, context) ?? '';
  const named = [...said.matchAll(/^[\s*_#>-]*evidence[\s*_]*:(.*)$/gim)].at(-1)?.[1];
  const lists = [...(named ?? said).matchAll(/\[(\d{1,6}(?:\s*[,;]\s*\d{1,6})*)\]/g)];
  return new Set(lists.flatMap(([, numbers]) => numbers!.split(/[,;]/).map(Number)));
}

/** (1 + beta^2) P R / (beta^2 P + R), for precision P and recall R of what was found; 0 where nothing right was. */
export function fBeta(found: ReadonlySet<number>, wanted: ReadonlySet<number>, beta: number): number {
  const right = [...found].filter(number => wanted.has(number)).length;
  if (right === 0) return 0;
  const [precision, recall] = [right / found.size, right / wanted.size];
  return ((1 + beta ** 2) * precision * recall) / (beta ** 2 * precision + recall);
}

/** @param answer the reward of the answer alone; one below zero is not multiplied by what is cited */
export function evidenceReward(
  { weight, beta }: EvidenceSettings,
  answer: number,
  response: string,
  wanted: readonly number[],
  context?: ResponseContext,
): { reward: number; reason: string } {
  const cited = citedDocuments(response, context);
  const f = fBeta(cited, new Set(wanted), beta);
  const numbers = (of: Iterable<number>) => `[${[...of].join(', ')}]`;
  return {
    reward: answer + weight * f + (1 - weight) * Math.max(0, answer) * f,
    reason: `cites ${numbers(cited)} of ${numbers(wanted)}: F${beta} ${f.toFixed(3)}`,
  };
}
