#!/usr/bin/env bash
# One number in a column of JSON lines makes datasets decode the texts beside it: the answer "007" becomes 7, "null" nothing.
#
# Seen with: datasets 5.2.0 with pandas 3.1.1 and pyarrow 26.0.1 (PyPI).
# Expected:  a text of a JSON line stays that text, or a column of two kinds is refused.
# Seen:      where a field is a text in one line and a number or a list in another, each text that looks like JSON is decoded:
#            "007" is 7, "1e5" is 100000.0, "true" is True, "null" and "NaN" are None, "[1, 2]" is a list, a text within quotes
#            loses them; "1,000" and "yes" stay. Without such a line all of them stay. A column of dates alone, such as
#            "2020-01-01", becomes points in time, which to_json writes as 1577836800000; one "unknown" among them, and they
#            stay. Gold answers change by what stands in other lines. to_parquet writes the column as JSON with 007 in it, which
#            is none: a reader that decodes such columns fails.
# Instead:   give load_dataset the features, Value("string") for answers, after making all of them texts yourself.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
export HF_HOME="$folder/home" HF_HUB_OFFLINE=1
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check datasets==5.2.0 pandas==3.1.1 pyarrow==26.0.1
venv/bin/python - <<'PYTHON'
import json
from datetime import datetime
from pathlib import Path

import datasets
from pyarrow import parquet

datasets.disable_progress_bars()


def loaded(name, answers):
    Path(f"{name}.jsonl").write_text("".join(json.dumps({"answer": answer}) + "\n" for answer in answers))
    return datasets.load_dataset("json", data_files=f"{name}.jsonl", split="train")


TEXTS = ["007", "1e5", "true", "null", "NaN", "[1, 2]", '"x"', "1,000", "yes"]
alone = loaded("alone", TEXTS)["answer"][:]
beside = loaded("beside", [*TEXTS, 42])["answer"][:-1]
dates = loaded("dates", ["2020-01-01", "1999-12-31"])
dates.to_json("written.jsonl")
written = [json.loads(line)["answer"] for line in Path("written.jsonl").read_text().splitlines()]
mixed = loaded("mixed", ["2020-01-01", "unknown"])["answer"][:]
loaded("beside", [*TEXTS, 42]).to_parquet("beside.parquet")
column = parquet.read_table("beside.parquet")["answer"]
print(f"datasets {datasets.__version__}")
print(f"written:          {TEXTS}")
print(f"alone:            {alone}")
print(f"beside a number:  {beside}")
print(f"in Parquet:       {column.to_pylist()} of type {column.type}")
print(f"dates:            {dates['answer'][:]}, by to_json {written}; beside another text: {mixed}")
assert alone == TEXTS
assert [*map(repr, beside)] == [*map(repr, [7, 100000.0, True, None, None, [1, 2], "x", "1,000", "yes"])]
assert dates["answer"][:] == [datetime(2020, 1, 1), datetime(1999, 12, 31)] and written[0] == 1577836800000
assert mixed == ["2020-01-01", "unknown"]
assert str(column.type) == "extension<arrow.json>" and column[0].as_py() == "007"
PYTHON
