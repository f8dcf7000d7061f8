#!/usr/bin/env bash
# datasets writes other numbers to JSON lines than it holds: small ones become 0, all are cut to ten places after the point.
#
# Seen with: datasets 5.2.0 with pandas 3.1.1 and pyarrow 26.0.1 (PyPI).
# Expected:  what to_json writes is what load_dataset reads back, as with to_parquet; json.dumps writes every double exactly.
# Seen:      1.5e-12 and 4e-11 are written as 0.0, 0.1234567890123456 as 0.123456789, infinity as null; but 1e-20 is kept. A
#            column of importance weights, probabilities or losses comes back with zeros, whose logarithm is minus infinity. The
#            documentation of to_json says nothing of it: the rounding is a default of pandas. to_csv and to_parquet are exact.
# Instead:   to_parquet, or json.dumps for each row. to_json takes double_precision=15, the most there is: fifteen places.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
export HF_HOME="$folder/home" HF_HUB_OFFLINE=1
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check datasets==5.2.0 pandas==3.1.1 pyarrow==26.0.1
venv/bin/python - <<'PYTHON'
import json
import math
from pathlib import Path

import datasets

datasets.disable_progress_bars()
NUMBERS = [0.5, 0.1234567890123456, 1e-9, 4e-11, 1.5e-12, 1e-20, math.inf]
rows = datasets.Dataset.from_dict({"weight": NUMBERS})


def through(write, read, name, **how):
    getattr(rows, write)(name, **how)
    return datasets.load_dataset(read, data_files=name, split="train")["weight"][:]


json_lines = through("to_json", "json", "rows.jsonl")
as_far_as_it_goes = through("to_json", "json", "most.jsonl", double_precision=15)
parquet = through("to_parquet", "parquet", "rows.parquet")
csv = through("to_csv", "csv", "rows.csv")
print(f"datasets {datasets.__version__}")
print(f"held:                   {NUMBERS}")
print(f"to_json and back:       {json_lines}")
print(f"with double_precision:  {as_far_as_it_goes}")
print(f"to_csv and back:        {csv}")
print(f"to_parquet and back:    {parquet}")
assert parquet == csv == NUMBERS
assert json_lines == [0.5, 0.123456789, 1e-9, 0.0, 0.0, 1e-20, None]
assert as_far_as_it_goes == [0.5, 0.123456789012346, 1e-9, 4e-11, 1.5e-12, 1e-20, None]
PYTHON
