#!/usr/bin/env bash
# A chat template gives other prompts in JavaScript than in Python, without an error.
#
# Seen with: @huggingface/jinja 0.5.11 (npm), Node 20; transformers 5.24.0 with Jinja2 3.1.6 (PyPI).
# Expected:  the text of a template is what the model was trained on, so it is the same from both or refused by one.
# Seen:      true, none, lists and objects are printed as JSON has them ("true", "", {"a": 1}), Python prints "True", "None",
#            {'a': 1}. The number 2.0 of a tool's arguments becomes 2, with tojson too. '1' == 1 is true. -7 % 3 is -1, not
#            2. 'iPhone' | capitalize stays "IPhone", Python's is "Iphone". strip('-') takes nothing away.
# Instead:   keep templates to texts, loops and conditions; convert numbers to texts before they get there; compare once.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check transformers==5.24.0 jinja2==3.1.6
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts @huggingface/jinja@0.5.11
cat > render.mjs <<'JAVASCRIPT'
import { readFileSync } from 'node:fs';
import { Template } from '@huggingface/jinja';

const cases = JSON.parse(readFileSync('cases.json', 'utf8'));
console.log(JSON.stringify(cases.map(([template, values]) => new Template(template).render(values))));
JAVASCRIPT
TRANSFORMERS_VERBOSITY=error venv/bin/python - <<'PYTHON'
import json
import subprocess
from pathlib import Path

import transformers
from transformers import PreTrainedTokenizerFast
from tokenizers import Tokenizer, models

tokenizer = PreTrainedTokenizerFast(tokenizer_object=Tokenizer(models.BPE()))


def python(template, values):
    messages = [{"role": "user", "content": "Who?"}]
    return tokenizer.apply_chat_template(messages, chat_template=template, tokenize=False, **values)


SAME = [
    ("{% for x in texts %}{{ x | trim }};{% endfor %}", {"texts": [" a ", "b"]}),
    ("{{ o | tojson }}", {"o": {"b": [1, "é"]}}),
]
OTHER = [
    ("{{ true }} {{ none }}", {}),
    ("{{ o }}", {"o": {"a": [1, "b", None, True]}}),
    ("{{ x }}", {"x": 2.0}),
    ("{{ o | tojson }}", {"o": {"threshold": 2.0}}),
    ("{{ '1' == 1 }}", {}),
    ("{{ -7 % 3 }}", {}),
    ("{{ x | capitalize }}", {"x": "iPhone"}),
    ("{{ x.strip('-') }}", {"x": "--a--"}),
]
Path("cases.json").write_text(json.dumps(SAME + OTHER))
javascript = json.loads(subprocess.check_output(["node", "render.mjs"], text=True))
print(f"transformers {transformers.__version__} and @huggingface/jinja 0.5.11")
failed = []
for (template, values), other in zip(SAME + OTHER, javascript):
    ours = python(template, values)
    print(template, json.dumps(values, ensure_ascii=False), "->", repr(ours), "" if ours == other else f"in JavaScript {other!r}")
    if (ours == other) != ((template, values) in SAME):
        failed.append(template)
assert not failed, f"otherwise now: {failed}"
PYTHON
