#!/usr/bin/env bash
# tsc 7 renames keys that are called like the class around them, where the class has a static private member and is lowered.
#
# Seen with: typescript 7.0.2 (npm), --target es2021; typescript 5.9.3 does as expected.
# Expected:  a key is a name of its own: { Count: 1 } within the class Count stays { Count: 1 }.
# Seen:      a class with a static #member, lowered to a target before ES2022, is spoken of as _a in its own body. 7.0.2 puts
#            _a in the place of keys, too: { Count: 1 } becomes { _a: 1 }, the shorthand { Count } becomes { _a }, a parameter
#            { Count: taken } takes _a (undefined), and a method named Count is called _a. Quoted keys, the reading of .Count
#            and targets from ES2022 on are right. Types are checked before, so nothing is reported.
# Instead:   --target es2022 or later; or quote the key; or name the class otherwise.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts typescript@7.0.2 before@npm:typescript@5.9.3
cat > count.ts <<'TYPESCRIPT'
export class Count {
  static #made = 0;
  made = ++Count.#made;
  key() { return { Count: 1 }; }
  quoted() { return { 'Count': 1 }; }
  shorthand() { return { Count }; }
  read(from: { Count: number }) { return from.Count; }
  taken({ Count: value }: { Count: number }) { return value; }
  Count() { return 1; }
}
TYPESCRIPT
for target in es2021 es2022; do
  node node_modules/typescript/bin/tsc count.ts --module nodenext --target "$target" --outDir "seven-$target"
done
node node_modules/before/lib/tsc.js count.ts --module nodenext --target es2021 --outDir five-es2021
cat > check.cjs <<'JAVASCRIPT'
const assert = require('node:assert');

const seen = compiled => {
  const { Count } = require(`./${compiled}/count.js`);
  const count = new Count();
  return {
    key: Object.keys(count.key())[0],
    quoted: Object.keys(count.quoted())[0],
    shorthand: Object.keys(count.shorthand())[0],
    read: count.read({ Count: 1 }),
    taken: count.taken({ Count: 1 }),
    method: typeof count.Count,
  };
};
const right = { key: 'Count', quoted: 'Count', shorthand: 'Count', read: 1, taken: 1, method: 'function' };
const renamed = { ...right, key: '_a', shorthand: '_a', taken: undefined, method: 'undefined' };
for (const [compiled, expected] of Object.entries({ 'five-es2021': right, 'seven-es2021': renamed, 'seven-es2022': right })) {
  console.log(compiled.padEnd(13), JSON.stringify(seen(compiled)));
  assert.deepEqual(seen(compiled), expected, `${compiled} is otherwise now`);
}
JAVASCRIPT
node check.cjs
