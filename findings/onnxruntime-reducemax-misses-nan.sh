#!/usr/bin/env bash
# ReduceMax and ReduceMin see NaN only where it is the first element.
#
# Seen with: onnxruntime 1.32.0 (PyPI, CPU, x86-64), onnx 1.23.2, numpy 2.4.6.
# Expected:  NaN wherever one is, as from numpy, PyTorch and ONNX's own reference evaluator; or never.
# Seen:      [NaN, 1, 2] has the maximum NaN, [1, NaN, 2] and [1, 2, NaN] have 2. Of 1,000 places one shows the NaN. The same
#            along one axis of a matrix. Max of two tensors, Clip, ReduceSum and ReduceL2 keep NaN wherever it is. A check of
#            a gradient by its largest element passes over what has diverged.
# Instead:   ask a sum (ReduceSum, ReduceL2) or IsNaN.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check onnxruntime==1.32.0 onnx==1.23.2 numpy==2.4.6
venv/bin/python - <<'PYTHON'
import numpy as np
import onnxruntime as ort
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator

value = helper.make_tensor_value_info


def seen(operator, run):
    """Places of 1,000 where a NaN makes the result NaN."""
    places = []
    for place in range(1000):
        x = np.arange(1000, dtype=np.float32)
        x[place] = np.nan
        if np.isnan(run(x)):
            places.append(place)
    return places


print(f"onnxruntime {ort.__version__}: places of 1,000 where a NaN is seen")
for operator, expected in {"ReduceMax": 1, "ReduceMin": 1, "ReduceSum": 1000, "ReduceL2": 1000}.items():
    graph = helper.make_graph(
        [helper.make_node(operator, ["x"], ["y"], keepdims=0)],
        "one",
        [value("x", TensorProto.FLOAT, [1000])],
        [value("y", TensorProto.FLOAT, [])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    reference = ReferenceEvaluator(model)
    ours = seen(operator, lambda x: session.run(None, {"x": x})[0])
    theirs = seen(operator, lambda x: reference.run(None, {"x": x})[0])
    print(f"{operator:9}  onnxruntime {len(ours):4} (the first: {ours[0]}), reference {len(theirs)}")
    assert len(ours) == expected and ours[0] == 0, f"{operator} behaves otherwise"
    assert len(theirs) == 1000, f"the reference evaluator behaves otherwise for {operator}"
PYTHON
