#!/usr/bin/env bash
# WebGPU: what stands behind a loop is computed on the processor, although the device has kernels for it.
#
# Seen with: onnxruntime-node 1.30.0 (npm), on SwiftShader of @sparticuz/chromium 153.0.0 (npm), x86-64 Linux; models by
#            onnx 1.23.2.
# Expected:  a node for which the provider has a kernel runs on the device, as its neighbours do.
# Seen:      twice a loop over the rows of what came before, whose number of turns is read from its Shape, each followed by 8
#            layers of MatMul and Tanh with a fed weight. All 16 nodes behind the second loop are put on the processor, without
#            a word unless logSeverityLevel is 0. onnxruntime takes what follows a Shape for the arithmetic of shapes ("the CPU
#            execution path is deemed faster than overhead"), goes on through the loop, for which there is no kernel, and ends
#            where a node reads what was computed on the device; inputs and small constants do not count as that. With the
#            number of turns fed, all are on the device.
# Instead:   feed the number of turns; or put Reshape(y, Shape(y)) behind a loop's result y: Reshape reads its shape on the
#            processor's side anyway, which ends the search. Look at the placement.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check onnx==1.23.2
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts onnxruntime-node@1.30.0 @sparticuz/chromium@153.0.0
venv/bin/python - <<'PYTHON'
from onnx import TensorProto, helper, save

FLOAT, INT, BOOL = TensorProto.FLOAT, TensorProto.INT64, TensorProto.BOOL
value, node = helper.make_tensor_value_info, helper.make_node
LAYERS = 8


def loop(x, turns, y):
    """y: x after so many Tanh"""
    body = helper.make_graph(
        [node("Identity", [f"go{y}"], [f"on{y}"]), node("Tanh", [f"state{y}"], [f"next{y}"])],
        "body",
        [value(f"turn{y}", INT, []), value(f"go{y}", BOOL, []), value(f"state{y}", FLOAT, None)],
        [value(f"on{y}", BOOL, []), value(f"next{y}", FLOAT, None)],
    )
    return node("Loop", [turns, "", x], [y], body=body)


def model(name, counted, anchored):
    """@param counted whether a loop's turns are read from its input's Shape; @param anchored whether Reshape follows it"""
    nodes, h = [node("Exp", ["x"], ["h"])], "h"
    for part in "ab":
        if counted:
            nodes += [node("Shape", [h], [f"s{part}"]), node("Gather", [f"s{part}", "first"], [f"turns{part}"])]
        nodes.append(loop(h, f"turns{part}" if counted else "turns", f"looped{part}"))
        h = f"looped{part}"
        if anchored:
            nodes += [node("Shape", [h], [f"l{part}"]), node("Reshape", [h, f"l{part}"], [f"r{part}"])]
            h = f"r{part}"
        for i in range(LAYERS):
            nodes += [node("MatMul", [h, "w"], [f"p{part}{i}"]), node("Tanh", [f"p{part}{i}"], [f"h{part}{i}"])]
            h = f"h{part}{i}"
    fed = [value("x", FLOAT, ["n", 4]), value("w", FLOAT, [4, 4]), *([] if counted else [value("turns", INT, [])])]
    first = helper.make_tensor("first", INT, [], [0])
    graph = helper.make_graph(nodes, name, fed, [value(h, FLOAT, ["n", 4])], [first] if counted else [])
    save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10), f"{name}.onnx")


model("turns by Shape", True, False)
model("turns fed", False, False)
model("turns by Shape, with Reshape", True, True)
PYTHON
node -e "
const { brotliDecompressSync } = require('node:zlib');
const archive = require('node:fs').readFileSync('node_modules/@sparticuz/chromium/bin/swiftshader.tar.br');
process.stdout.write(brotliDecompressSync(archive));" | tar --extract
cat >place.js <<'JAVASCRIPT'
const ort = require('onnxruntime-node');
ort.InferenceSession.create(process.argv[2], { executionProviders: ['webgpu'], logSeverityLevel: 0 });
JAVASCRIPT
# Nodes of the layers on the processor.
on_processor() {
  VK_DRIVER_FILES="$folder/vk_swiftshader_icd.json" LD_LIBRARY_PATH="$folder" node place.js "$1.onnx" 2>&1 |
    awk '/placed on \[CPUExecutionProvider\]/ { cpu = 1; listed = 1 } /placed on \[WebGpuExecutionProvider\]/ { cpu = 0; listed = 1 }
      cpu && /VerifyEachNodeIsAssignedToAnEp\] +(MatMul|Tanh) \(/ { found++ } END { print listed ? found + 0 : "none placed" }'
}
for expected in '16 turns by Shape' '0 turns fed' '0 turns by Shape, with Reshape'; do
  name=${expected#* }
  seen=$(on_processor "$name")
  echo "$name: $seen of 32 nodes of the layers are on the processor"
  [ "$seen" = "${expected%% *}" ] || { echo 'that is otherwise now'; exit 1; }
done
