#!/usr/bin/env bash
# onnxruntime-node drops feeds that it does not know, also those that the model declares with a default.
#
# Seen with: onnxruntime-node 1.30.0 (npm), Node 20; for comparison onnxruntime 1.32.0 (PyPI), onnx 1.23.2.
# Expected:  as in Python: an unknown name is an error; an input that has an initializer of its name (a default, in ONNX) is
#            replaced by what is fed.
# Seen:      neither. y = x * scale, where scale defaults to 2: fed scale 10, or "scales" by mistake, y is 2 x in both cases,
#            without a word; inputNames does not list scale. An unknown name among the *fetches* is refused, though. And
#            run(feeds, {terminate: true}), which in Python ends a run with an error, gives a result as if it were not there.
# Instead:   compare the names of feeds with the model's yourself; make what is to be fed an input without initializer.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check onnxruntime==1.32.0 onnx==1.23.2
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts onnxruntime-node@1.30.0
venv/bin/python - <<'PYTHON'
import numpy as np
import onnxruntime as ort
from onnx import TensorProto, helper, save

value = helper.make_tensor_value_info
graph = helper.make_graph(
    [helper.make_node("Mul", ["x", "scale"], ["y"])],
    "scaled",
    [value("x", TensorProto.FLOAT, [2]), value("scale", TensorProto.FLOAT, [1])],
    [value("y", TensorProto.FLOAT, [2])],
    [helper.make_tensor("scale", TensorProto.FLOAT, [1], [2.0])],
)
save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10), "model.onnx")

options = ort.SessionOptions()
options.log_severity_level = 4
session = ort.InferenceSession("model.onnx", options, providers=["CPUExecutionProvider"])
x, ten = np.array([1, 2], np.float32), np.array([10], np.float32)
scaled = session.run(None, {"x": x, "scale": ten})[0].tolist()
print(f"Python {ort.__version__}, scale 10:  {scaled}")
assert scaled == [10, 20]


def refusal(call):
    try:
        call()
    except Exception as error:
        return str(error).splitlines()[0][:90]
    raise SystemExit("Python behaves otherwise")


print("Python, scales 10:        ", refusal(lambda: session.run(None, {"x": x, "scales": ten})))
stop = ort.RunOptions()
stop.terminate = True
print("Python, terminate:        ", refusal(lambda: session.run(None, {"x": x}, stop)))
PYTHON
cat > check.mjs <<'JAVASCRIPT'
import assert from 'node:assert';
import { InferenceSession, Tensor } from 'onnxruntime-node';

const session = await InferenceSession.create('model.onnx', { logSeverityLevel: 4 });
const x = new Tensor('float32', Float32Array.of(1, 2), [2]);
const ten = new Tensor('float32', Float32Array.of(10), [1]);
const y = async (feeds, options) => [...(await session.run(feeds, options)).y.data];
const seen = {
  'scale 10': await y({ x, scale: ten }),
  'scales 10': await y({ x, scales: ten }),
  'terminate': await y({ x }, { terminate: true }),
};
for (const [what, result] of Object.entries(seen)) {
  console.log(`Node, ${what}:`.padEnd(26), result);
  assert.deepEqual(result, [2, 4]);
}
assert.deepEqual(session.inputNames, ['x']);
await assert.rejects(session.run({ x }, ['z']), /invalid output name/);
JAVASCRIPT
node check.mjs
