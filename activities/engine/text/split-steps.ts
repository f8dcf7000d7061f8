/** Steps of a tokenizer.json that the library reads and does otherwise, without a word: findings/tokenizers-js-other-ids.sh. */

interface Step {
  type?: unknown;
  pattern?: { String?: unknown; Regex?: unknown };
  behavior?: unknown;
  invert?: unknown;
  pretokenizers?: unknown;
}

/** What of `Split` gives the Rust library's ids: by behaviour, how the pattern may be written and whether it may be inverted. */
const FOLLOWED: ReadonlyMap<unknown, { patterns: readonly string[]; invert: boolean }> = new Map([
  ['Isolated', { patterns: ['Regex', 'String'], invert: false }],
  ['Removed', { patterns: ['Regex'], invert: true }],
]);

/** The first `Split` of a pre-tokenizer, at any depth, that would be done otherwise, as text; null where there is none. */
export function unfollowedSplit(preTokenizer: unknown): string | null {
  if (typeof preTokenizer !== 'object' || preTokenizer === null) return null;
  const { type, pattern, behavior, invert, pretokenizers } = preTokenizer as Step;
  if (Array.isArray(pretokenizers)) {
    return pretokenizers.map(unfollowedSplit).find(found => found !== null) ?? null;
  }
  if (type !== 'Split') return null;
  const rule = FOLLOWED.get(behavior);
  const written = pattern?.String === undefined ? 'Regex' : 'String';
  const followed = rule?.patterns.includes(written) && (rule.invert || invert !== true);
  return followed ? null : `Split by a ${written}, behavior '${behavior}'${invert === true ? ', invert' : ''}`;
}
