#!/usr/bin/env bash
# In a column that began with True, datasets stores a reward of 0.5 as True: partial credit becomes full.
#
# Seen with: datasets 5.2.0 with pyarrow 26.0.1 (PyPI).
# Expected:  0.5 is stored as 0.5, or refused: where the column began with the integer 1 the same number is refused ("Float value
#            0.500000 was truncated"), as is 0.5 by pyarrow for a boolean column.
# Seen:      the type of a column that map adds is that of its first 1,000 rows (writer_batch_size). A function that gives True
#            for most rows and a fraction for some, the first of them after row 1,000, gives True for 0.5 and for 0.001, False
#            for 0.0, without a word. Behind fewer rows the same function's 0.5 stays 0.5.
# Instead:   return float(score), or give map the type: features=Features({..., "reward": Value("float64")}).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
export HF_HOME="$folder/home" HF_HUB_OFFLINE=1
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check datasets==5.2.0 pyarrow==26.0.1
venv/bin/python - <<'PYTHON'
import datasets

datasets.disable_progress_bars()


def rewards(first, rest, rows_before):
    """What becomes of `rest` behind so many rows with `first`."""
    given = [first] * rows_before + rest
    rows = datasets.Dataset.from_dict({"row": range(len(given))})
    try:
        mapped = rows.map(lambda row: {"reward": given[row["row"]]})
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return mapped["reward"][rows_before:]


REST = [0.5, 0.001, 0.0]
late = rewards(True, REST, 1000)
early = rewards(True, REST, 10)
integer = rewards(1, REST, 1000)
print(f"datasets {datasets.__version__}; rewards {REST}")
print(f"behind 1,000 rows with True: {late}")
print(f"behind 10 rows with True:    {early}")
print(f"behind 1,000 rows with 1:    {integer}")
assert late == [True, True, False] and all(type(one) is bool for one in late)
assert early == REST
assert isinstance(integer, str) and "truncated" in integer
PYTHON
