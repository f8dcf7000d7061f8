#!/usr/bin/env bash
# @huggingface/tokenizers reads fields of tokenizer.json that it does not follow: other ids than the Rust library's.
#
# Seen with: @huggingface/tokenizers 0.2.0 (npm), Node 20; tokenizers 0.23.3 (PyPI), the Rust library.
# Expected:  the same ids from the same tokenizer.json, or an error that names what is not supported.
# Seen:      an added token with single_word is also found within words ("concatenate" has the token "cat"). Of the behaviours
#            of a Split, MergedWithPrevious, MergedWithNext and Contiguous all do what Isolated does; Removed keeps what it
#            should remove where the pattern is a String (with a Regex it removes it); and Isolated with invert throws all but
#            the matches away, so that words are missing from the ids. truncation is not done. No error in any case. Isolated
#            alone, Removed with a Regex, and that with invert agree.
# Instead:   compare some texts' ids with the Rust library's once for each tokenizer, or refuse such fields.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check tokenizers==0.23.3
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts @huggingface/tokenizers@0.2.0
cat > encode.mjs <<'JAVASCRIPT'
import { readFileSync } from 'node:fs';
import { Tokenizer } from '@huggingface/tokenizers';

const cases = JSON.parse(readFileSync('cases.json', 'utf8'));
console.log(JSON.stringify(cases.map(({ file, text }) => new Tokenizer(file, {}).encode(text).tokens)));
JAVASCRIPT
venv/bin/python - <<'PYTHON'
import json
import subprocess

import tokenizers

pieces = [*"acenot -", "t ", " c", "--", "t-", "-c"]
MERGES = [["t", " "], [" ", "c"], ["-", "-"], ["t", "-"], ["-", "c"]]


def file(**fields):
    parts = ("truncation", "padding", "normalizer", "pre_tokenizer", "post_processor", "decoder")
    model = {"type": "BPE", "vocab": {piece: i for i, piece in enumerate(pieces)}, "merges": MERGES}
    return {"version": "1.0", **dict.fromkeys(parts), "added_tokens": [], "model": model, **fields}


def split(pattern, behavior, invert=False):
    return file(pre_tokenizer={"type": "Split", "pattern": pattern, "behavior": behavior, "invert": invert})


word = {"id": len(pieces), "content": "cat", "single_word": True}
flags = dict.fromkeys(("lstrip", "rstrip", "normalized", "special"), False)
cut = {"direction": "Right", "max_length": 4, "strategy": "LongestFirst", "stride": 0}
TEXT = "tea cat--cot"
cases = {  # whether the two agree, the file, the text
    "no such field": (True, file(), TEXT),
    "single_word": (False, file(added_tokens=[{**word, **flags}]), "a cat concatenate"),
    "truncation": (False, file(truncation=cut), TEXT),
    "Regex Isolated": (True, split({"Regex": "-"}, "Isolated"), TEXT),
    "String Isolated": (True, split({"String": "-"}, "Isolated"), TEXT),
    "Regex Removed": (True, split({"Regex": "-"}, "Removed"), TEXT),
    "String Removed": (False, split({"String": "-"}, "Removed"), TEXT),
    "Regex Removed, invert": (True, split({"Regex": "-"}, "Removed", True), TEXT),
    "Regex Isolated, invert": (False, split({"Regex": "-"}, "Isolated", True), TEXT),
    "Regex MergedWithPrevious": (False, split({"Regex": "-"}, "MergedWithPrevious"), TEXT),
    "Regex MergedWithNext": (False, split({"Regex": "-"}, "MergedWithNext"), TEXT),
    "Regex Contiguous": (False, split({"Regex": "-"}, "Contiguous"), TEXT),
}
with open("cases.json", "w") as out:
    json.dump([{"file": file, "text": text} for _, file, text in cases.values()], out)
javascript = json.loads(subprocess.check_output(["node", "encode.mjs"], text=True))
print(f"tokenizers {tokenizers.__version__} and @huggingface/tokenizers 0.2.0")
failed = []
for (name, (agree, content, text)), other in zip(cases.items(), javascript):
    rust = tokenizers.Tokenizer.from_str(json.dumps(content)).encode(text).tokens
    same = rust == other
    print(f"{name:25} {text!r}: {rust}" + ("" if same else f"\n{'':25} in JavaScript: {other}"))
    if same != agree:
        failed.append(name)
assert not failed, f"otherwise now: {failed}"
PYTHON
