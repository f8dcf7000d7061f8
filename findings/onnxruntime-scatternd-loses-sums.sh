#!/usr/bin/env bash
# ScatterND with reduction="add" loses summands where an index repeats.
#
# Seen with: onnxruntime 1.32.0 (PyPI, CPU), onnx 1.23.2, two cores or more.
# Expected:  65,536 rows of ones added into 8 rows hold 4,194,304 ones in all, as "add" of the ONNX specification says.
# Seen:      with one thread they do, always. With two, some are lost in some runs, and equal runs give different results:
#            both threads read, add and write the same row at the same time. No error, no warning. It is how one would write
#            the gradient of an embedding (a token that occurs twice is an index that repeats).
# Instead:   a product with a one-hot matrix, or sums outside of the graph; ScatterND for indices that are all different.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check onnxruntime==1.32.0 onnx==1.23.2
venv/bin/python - <<'PYTHON'
import numpy as np
import onnxruntime as ort
from onnx import TensorProto, helper

rows, width, targets = 65536, 64, 8
value = helper.make_tensor_value_info
graph = helper.make_graph(
    [helper.make_node("ScatterND", ["zeros", "indices", "ones"], ["sums"], reduction="add")],
    "scatter",
    [
        value("zeros", TensorProto.FLOAT, [targets, width]),
        value("indices", TensorProto.INT64, [rows, 1]),
        value("ones", TensorProto.FLOAT, [rows, width]),
    ],
    [value("sums", TensorProto.FLOAT, [targets, width])],
)
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
feeds = {
    "zeros": np.zeros((targets, width), np.float32),
    "indices": np.random.default_rng(0).integers(0, targets, (rows, 1)),
    "ones": np.ones((rows, width), np.float32),
}


def totals(threads, most):
    """Of runs until one has lost something, `most` at most."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    session = ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    found = []
    while len(found) < most and (not found or min(found) == rows * width):
        found.append(int(session.run(None, feeds)[0].sum()))
    return found


print(f"onnxruntime {ort.__version__}: {rows * width} ones are added")
one, two = totals(1, 100), totals(2, 1000)
print(f"1 thread:  {min(one)} in the worst of {len(one)} runs")
print(f"2 threads: {two[-1]} in run {len(two)}")
assert min(one) == rows * width, "one thread lost some too"
assert min(two) < rows * width, "two threads lost none"
PYTHON
