#!/usr/bin/env bash
# A model saved by transformers 5 has another position encoding when transformers 4 loads it: its base falls back to 10,000.
#
# Seen with: transformers 5.24.0 writing, transformers 4.57.3 reading (PyPI). No model is needed: it is in config.json.
# Expected:  the base of the rotary encoding and YaRN's factor are read as they were saved, or the file is refused.
# Seen:      version 5 writes both into rope_parameters and leaves rope_theta and rope_scaling out. Version 4 does not know that
#            field, keeps it as an attribute that nothing asks for, and takes its default for the absent ones: 10,000 for
#            1,000,000, and no YaRN. No error, no warning; weights fit, texts are worse the longer they are. The other way
#            round, version 5 understands what 4 wrote. What is trained by one and served by another meets this.
# Instead:   write rope_theta and rope_scaling into config.json beside rope_parameters; both versions then agree.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
export TRANSFORMERS_VERBOSITY=error HF_HUB_OFFLINE=1
for version in 4.57.3 5.24.0; do
  python3 -m venv "$version"
  "$version/bin/pip" install --quiet --disable-pip-version-check transformers=="$version"
done
cat > write.py <<'PYTHON'
import sys

from transformers import LlamaConfig, Qwen2Config, Qwen3Config

for kind in (LlamaConfig, Qwen2Config, Qwen3Config):
    yarn = {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 32768}
    config = kind(rope_theta=1000000.0, rope_scaling=yarn)
    config.save_pretrained(f"{sys.argv[1]}/{config.model_type}")
PYTHON
cat > read.py <<'PYTHON'
import json
import sys
from pathlib import Path

from transformers import AutoConfig

found = {}
for path in sorted(Path(sys.argv[1]).iterdir()):
    config = AutoConfig.from_pretrained(path)
    rope = getattr(config, "rope_parameters", None) if sys.argv[2] == "5" else None
    rope = rope or {**(config.rope_scaling or {}), "rope_theta": config.rope_theta}
    found[path.name] = [rope["rope_theta"], rope.get("factor")]
print(json.dumps(found))
PYTHON
4.57.3/bin/python write.py from4
5.24.0/bin/python write.py from5
cp -r from5 mended
python3 - <<'PYTHON'
import json
from pathlib import Path

for path in Path("mended").glob("*/config.json"):
    config = json.loads(path.read_text())
    scaling = dict(config["rope_parameters"])
    config["rope_theta"] = scaling.pop("rope_theta")
    config["rope_scaling"] = scaling
    path.write_text(json.dumps(config))
PYTHON
python3 - <<'PYTHON'
import json
import subprocess


def read(by, folder):
    python = {"4": "4.57.3/bin/python", "5": "5.24.0/bin/python"}[by]
    found = json.loads(subprocess.check_output([python, "read.py", folder, by], text=True))
    print(f"{folder:6} read by {by}: [rope_theta, factor] {found}")
    assert set(found) == {"llama", "qwen2", "qwen3"}
    return list(found.values())


RIGHT = [[1000000.0, 4.0]] * 3
for by, folder in (("4", "from4"), ("5", "from4"), ("5", "from5"), ("4", "mended"), ("5", "mended")):
    assert read(by, folder) == RIGHT
assert read("4", "from5") == [[10000.0, None]] * 3
PYTHON
