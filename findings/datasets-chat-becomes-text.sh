#!/usr/bin/env bash
# Whether a chat is stored in Parquet as messages or as texts of JSON depends on what the other chats of the file hold.
#
# Seen with: datasets 5.2.0, pyarrow 26.0.1, pandas 3.1.1, polars 2.1.0 (PyPI).
# Expected:  a column of messages, {"role", "content"}, is a list of structs in Parquet, whoever reads it.
# Seen:      so it is while all messages have the same fields. Let one of them have tool_calls, and to_parquet writes every
#            message of the file as a text: pandas and polars give "{\"role\":\"user\",…}" where they gave a dictionary, and the
#            two files have different schemas. datasets itself reads both back as they were.
# Instead:   fill missing fields (tool_calls: null) before writing, or decode texts after reading; look at the schema.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
export HF_HOME="$folder/home" HF_HUB_OFFLINE=1
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check datasets==5.2.0 pyarrow==26.0.1 pandas==3.1.1 polars==2.1.0
venv/bin/python - <<'PYTHON'
import json
from pathlib import Path

import datasets
import pandas
import polars
from pyarrow import parquet

datasets.disable_progress_bars()
FIRST = [{"role": "user", "content": "Who?"}]
CALL = [{"role": "assistant", "content": None, "tool_calls": [{"name": "search", "arguments": {"query": "x"}}]}]


def stored(name, chats):
    """The first message of the first chat by datasets, pandas and polars, and the type of the column."""
    Path(f"{name}.jsonl").write_text("".join(json.dumps({"messages": chat}) + "\n" for chat in chats))
    rows = datasets.load_dataset("json", data_files=f"{name}.jsonl", split="train")
    rows.to_parquet(f"{name}.parquet")
    again = datasets.load_dataset("parquet", data_files=f"{name}.parquet", split="train")
    found = [
        again[0]["messages"][0],
        pandas.read_parquet(f"{name}.parquet")["messages"][0][0],
        polars.read_parquet(f"{name}.parquet")["messages"][0][0],
    ]
    print(f"{name}: {parquet.read_schema(f'{name}.parquet').field('messages').type}")
    for reader, message in zip(("datasets", "pandas", "polars"), found):
        print(f"    {reader:9} {message!r}")
    return found


print(f"datasets {datasets.__version__}")
assert stored("equal", [FIRST, FIRST]) == [FIRST[0]] * 3
by_datasets, *others = stored("unequal", [FIRST, CALL])
assert by_datasets == FIRST[0]
assert all(type(other) is str and json.loads(other) == FIRST[0] for other in others), "messages are structs now"
PYTHON
