#!/usr/bin/env bash
# One large number on a span, such as the operations of a training step, makes its whole batch unreadable.
#
# Seen with: @opentelemetry/sdk-trace-base 2.12.1, exporter-trace-otlp-http and -proto 0.223.1 (npm), Node 20; read with
#            opentelemetry-proto 1.45.2 (PyPI), whose classes are generated from the protocol's own definition.
# Expected:  1.2e21 arrives as 1.2e21: a span's attribute may be a double, and every number of JavaScript is one.
# Seen:      so it does by protobuf. By JSON, what exporter-trace-otlp-http sends, each number without a fraction is called a
#            64-bit integer, also beyond its range, and a receiver that goes by the protocol can read nothing of the message,
#            the other spans in it neither. A metric that is a fraction on one step and whole on the next (0.5, 1) changes its
#            type between spans, by both. NaN and infinity are null in JSON: the attribute is there without a value.
# Instead:   the protobuf exporter; or units that keep numbers below 2 ** 63 (1.2 with "zettaflops" in the name).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check opentelemetry-proto==1.45.2
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts @opentelemetry/api@1.9.1 @opentelemetry/sdk-trace-base@2.12.1 \
  @opentelemetry/exporter-trace-otlp-http@0.223.1 @opentelemetry/exporter-trace-otlp-proto@0.223.1
cat > send.mjs <<'JAVASCRIPT'
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { OTLPTraceExporter as Json } from '@opentelemetry/exporter-trace-otlp-http';
import { OTLPTraceExporter as Protobuf } from '@opentelemetry/exporter-trace-otlp-proto';
import { BasicTracerProvider, BatchSpanProcessor } from '@opentelemetry/sdk-trace-base';

const server = createServer(async (asked, answer) => {
  const parts = [];
  for await (const part of asked) parts.push(part);
  writeFileSync(asked.url.slice(1), Buffer.concat(parts));
  answer.end('{}');
});
await new Promise(listening => server.listen(0, '127.0.0.1', listening));
const url = `http://127.0.0.1:${server.address().port}`;
const FIRST = { flops: 9.2e18, reward: 1, loss: 0.5 };
const SECOND = { flops: 1.2e21, reward: 0.5, loss: Number.NaN };
for (const [name, exporter, spans] of [
  ['small.json', Json, [FIRST]],
  ['small.pb', Protobuf, [FIRST]],
  ['both.json', Json, [FIRST, SECOND]],
  ['both.pb', Protobuf, [FIRST, SECOND]],
  ['nan.json', Json, [{ loss: Number.NaN }]],
]) {
  const processor = new BatchSpanProcessor(new exporter({ url: `${url}/${name}` }));
  const provider = new BasicTracerProvider({ spanProcessors: [processor] });
  for (const attributes of spans) provider.getTracer('run').startSpan('step', { attributes }).end();
  await provider.shutdown();
}
server.close();
JAVASCRIPT
node send.mjs
venv/bin/python - <<'PYTHON'
import math
from pathlib import Path

from google.protobuf import json_format
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


def read(name):
    """What a receiver finds: for each span its attributes, with the type they came in."""
    content = Path(name).read_bytes()
    request = ExportTraceServiceRequest()
    try:
        if name.endswith(".pb"):
            request.ParseFromString(content)
        else:
            json_format.Parse(content.decode(), request, ignore_unknown_fields=True)
    except json_format.ParseError as error:
        return f"cannot be read: {str(error)[-60:]}"
    spans = [span for r in request.resource_spans for scope in r.scope_spans for span in scope.spans]
    kinds = [{a.key: a.value.WhichOneof("value") for a in span.attributes} for span in spans]
    return [
        {a.key: (kind[a.key], getattr(a.value, kind[a.key]) if kind[a.key] else None) for a in span.attributes}
        for span, kind in zip(spans, kinds)
    ]


found = {name: read(name) for name in ("small.json", "small.pb", "both.json", "both.pb", "nan.json")}
for name, spans in found.items():
    print(f"{name:10} {spans}")
right = {"flops": ("int_value", 9200000000000000000), "reward": ("int_value", 1), "loss": ("double_value", 0.5)}
assert found["small.json"] == found["small.pb"] == [right]
assert isinstance(found["both.json"], str), "the batch can be read now"
first, second = found["both.pb"]
assert first == right and second["flops"] == ("double_value", 1.2e21)
assert second["reward"] == ("double_value", 0.5) and math.isnan(second["loss"][1])
assert found["nan.json"] == [{"loss": (None, None)}]
PYTHON
