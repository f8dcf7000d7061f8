#!/usr/bin/env bash
# Equal tensors with equal metadata give a safetensors file of other bytes each time.
#
# Seen with: safetensors 0.8.0 (PyPI), numpy 2.4.6.
# Expected:  tensors are written in a fixed order, so that equal content has an equal hash.
# Seen:      so it is without metadata, or with one entry, as the {"format": "pt"} of most published files. With four entries
#            twenty calls of save in one process give many different files: the order of the entries is another each time.
#            A checkpoint that keeps its step or seed there cannot be recognised by the hash of its file.
# Instead:   one entry that holds the rest as JSON; or hash tensors in place of files; or write the header yourself.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check safetensors==0.8.0 numpy==2.4.6
venv/bin/python - <<'PYTHON'
import numpy as np
import safetensors
from safetensors.numpy import save

tensors = {"weight": np.ones(3, np.float32), "bias": np.zeros(2, np.float32)}


def files(metadata):
    return {save(tensors, metadata) for _ in range(20)}


print(f"safetensors {safetensors.__version__}: different files of 20 that were saved")
for metadata in (None, {"format": "pt"}, {"format": "pt", "step": "3", "seed": "1", "model": "tiny"}):
    print(f"{len(files(metadata)):3}  {metadata}")
assert len(files(None)) == len(files({"format": "pt"})) == 1
written = files({"format": "pt", "step": "3", "seed": "1", "model": "tiny"})
assert len(written) > 1, "the order of the metadata is fixed now"
assert len({len(file) for file in written}) == 1
PYTHON
