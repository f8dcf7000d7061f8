#!/usr/bin/env bash
# The bits of Log depend on the number of threads, and on where in the tensor a value stands.
#
# Seen with: onnxruntime 1.32.0 (PyPI, CPU, x86-64), onnx 1.23.2.
# Expected:  an operator that looks at one element at a time gives equal elements equal results.
# Seen:      64 x 1,001 numbers, repeated 16 times. With 1, 2, 4 or 7 threads the repeats of Log are equal bit for bit; with 3
#            threads they are not, and the result differs from that of 1 thread. The elements at the end of each thread's
#            share are computed another way than those before. Softplus does the same; Exp, Tanh, Sigmoid, Erf, Softmax and
#            LogSoftmax do not. A loss that goes through Log is so not repeatable on a machine with other cores.
# Instead:   LogSoftmax, which goes row by row, or the logarithm outside of the graph.
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

COPIES = 16
once = np.random.default_rng(0).uniform(0.01, 3, (64, 1001)).astype(np.float32)
repeated = np.tile(once, (COPIES, 1, 1)).reshape(COPIES, -1)


def compute(operator, threads):
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        [helper.make_node(operator, ["x"], ["y"])],
        "one",
        [value("x", TensorProto.FLOAT, None)],
        [value("y", TensorProto.FLOAT, None)],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    session = ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return session.run(None, {"x": repeated.reshape(-1, 1001)})[0].reshape(COPIES, -1).view(np.uint32)


print(f"onnxruntime {ort.__version__}: {COPIES} copies of {once.size} numbers")
for operator, depends in {"Log": True, "Softplus": True, "Exp": False, "Sigmoid": False, "LogSoftmax": False}.items():
    one, three = compute(operator, 1), compute(operator, 3)
    uneven = int((three != three[0]).any(axis=0).sum())
    other = int((one != three).sum())
    print(f"{operator:10}  3 threads: {uneven} numbers whose copies differ; 1 and 3 threads: {other} results differ")
    assert (one == one[0]).all(), f"{operator}: with one thread the copies differ too"
    assert (uneven > 0, other > 0) == (depends, depends), f"{operator} behaves otherwise"
PYTHON
