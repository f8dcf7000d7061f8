#!/usr/bin/env bash
# The first number of pure-rand's usual generator is its seed, bits turned round: every seed in use begins alike.
#
# Seen with: pure-rand 8.4.2 (npm), Node 20.
# Expected:  a generator made from a seed gives numbers that do not tell the seed, so that one generator for each prompt, with
#            the seeds 0, 1, 2 …, is as good as one for all.
# Seen:      with xoroshiro128plus and xorshift128plus the first uniformFloat64 of each seed from 0 to 999 is above 0.9999, so
#            a coin tossed with it falls on one side for all of them; the first uniformInt from 0 to 9 counts down as the seed
#            counts up: 7 6 5 4 3 2 1 0 9 8. The second number still climbs by steps of 1/16. mersenne and congruential32 spread
#            from the first number on. Only the lower 32 bits of a seed count, for all four: 1, 1.9 and 2 ** 32 + 1 are one.
# Instead:   hash what names the stream and give the generator the whole state (xoroshiro128plusFromState), or take mersenne.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts pure-rand@8.4.2
cat > check.mjs <<'JAVASCRIPT'
import assert from 'node:assert';
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { congruential32 } from 'pure-rand/generator/congruential32';
import { mersenne } from 'pure-rand/generator/mersenne';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { xorshift128plus } from 'pure-rand/generator/xorshift128plus';

const seeds = Array.from({ length: 1000 }, (_, seed) => seed);
const first = [];
for (const make of [xoroshiro128plus, xorshift128plus, mersenne, congruential32]) {
  const heads = seeds.filter(seed => uniformFloat64(make(seed)) < 0.5).length;
  const lowest = Math.min(...seeds.map(seed => uniformFloat64(make(seed))));
  const digits = seeds.slice(0, 10).map(seed => uniformInt(make(seed), 0, 9));
  const same = new Set([1, 1.9, 2 ** 32 + 1].map(seed => uniformInt(make(seed), 0, 1e9))).size === 1;
  first.push({ name: make.name, heads, lowest, digits: digits.join(' '), same });
  console.log(
    `${make.name}: of the first numbers of 1000 seeds ${heads} are below 0.5, the lowest is ${lowest.toFixed(6)};`,
    `from 0 to 9: ${digits.join(' ')}; 1, 1.9 and 2 ** 32 + 1 ${same ? 'give the same' : 'differ'}`,
  );
}
const second = seeds.slice(0, 4).map(seed => {
  const generator = xoroshiro128plus(seed);
  uniformFloat64(generator);
  return uniformFloat64(generator).toFixed(2);
});
console.log(`xoroshiro128plus, second number of the seeds 0 to 3: ${second.join(' ')}`);
for (const { name, heads, lowest, digits, same } of first) {
  const tells = name.endsWith('128plus');
  assert.equal(heads === 0 && lowest > 0.9999 && digits === '7 6 5 4 3 2 1 0 9 8', tells, name);
  assert.ok(tells || (heads > 400 && heads < 600), name);
  assert.ok(same, name);
}
assert.deepEqual(second, ['0.75', '0.81', '0.88', '0.94']);
JAVASCRIPT
node check.mjs
