#!/usr/bin/env bash
# A session option of onnxruntime changes JavaScript's own arithmetic; and only the process's first session has a say.
#
# Seen with: onnxruntime-node 1.30.0 (npm, CPU, x86-64), Node 20; model made with onnx 1.23.2.
# Expected:  session.set_denormal_as_zero, set on one session, makes that session take denormal numbers for zero.
# Seen:      where the first session of the process sets it, 1e-310 * 1 is 0 in JavaScript from then on: the option sets the
#            calling thread's processor mode, and nothing sets it back. A session made later without the option then drops
#            denormals too. Where the first session does not set it, JavaScript stays as it was, and a session made later
#            with the option keeps denormals: so what a model computes depends on which session was made first.
# Instead:   a processor is slow on denormals in few places: keep them from arising there (a factor after exp, not
#            -Infinity before it), and leave the option alone.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check onnx==1.23.2
venv/bin/python - <<'PYTHON'
from onnx import TensorProto, helper, save

value = helper.make_tensor_value_info
graph = helper.make_graph(
    [helper.make_node("Add", ["x", "x"], ["y"])],
    "double",
    [value("x", TensorProto.FLOAT, [1])],
    [value("y", TensorProto.FLOAT, [1])],
)
save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10), "double.onnx")
PYTHON
echo '{ "private": true }' >package.json
ONNXRUNTIME_NODE_INSTALL=skip npm install --silent --no-audit --no-fund onnxruntime-node@1.30.0
cat >orders.cjs <<'NODE'
const ort = require('onnxruntime-node');
const PLAIN = {};
const OPTION = { extra: { session: { set_denormal_as_zero: '1' } } };

async function order(first, second) {
  const doubled = async session => {
    // 2^-140 is a denormal number of 32 bits.
    const { y } = await session.run({ x: new ort.Tensor('float32', Float32Array.of(2 ** -140), [1]) });
    return y.data[0] !== 0;
  };
  const sessions = [];
  for (const options of [first, second])
    sessions.push(await ort.InferenceSession.create('double.onnx', { intraOpNumThreads: 1, ...options }));
  const keeps = [];
  for (const session of sessions) keeps.push(await doubled(session));
  const small = 1e-310 * Number('1');
  console.log(JSON.stringify({ javascript: small !== 0, first: keeps[0], second: keeps[1] }));
}
order(...(process.argv[2] === 'option first' ? [OPTION, PLAIN] : [PLAIN, OPTION]));
NODE
check() {
  local said
  said=$(node orders.cjs "$1")
  echo "$1: denormals kept by $said"
  [ "$said" = "$2" ] || { echo "behaves otherwise; expected $2" >&2; exit 1; }
}
check 'option first' '{"javascript":false,"first":false,"second":false}'
check 'option second' '{"javascript":true,"first":true,"second":true}'
