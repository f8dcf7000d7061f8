#!/usr/bin/env bash
# A step that is written late makes TensorBoard forget every newer point of the curve; its own Python reader does not.
#
# Seen with: tensorboard 2.21.0 with tensorboard-data-server 0.7.2 (PyPI).
# Expected:  steps 1 to 5 and then step 2 again show five or six points.
# Seen:      TensorBoard as it starts by default shows two, steps 1 and 2: it takes the older step for a restart and drops
#            what came after. With --load_fast=false, and by EventAccumulator, all six are there. Who resumes a run from a
#            checkpoint expects the former; who logs from several workers, or a metric that is ready late, loses the curve.
# Instead:   write the points of a tag in the order of their steps, a new file for a new attempt; late metrics by a tag of
#            their own.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check tensorboard==2.21.0 tensorboard-data-server==0.7.2
venv/bin/python - <<'PYTHON'
import json
import socket
import subprocess
import sys
import time
import urllib.request

from tensorboard import version
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.event_file_writer import EventFileWriter

WRITTEN = [1, 2, 3, 4, 5, 2]
writer = EventFileWriter("logs/run")
for at, step in enumerate(WRITTEN):
    summary = Summary(value=[Summary.Value(tag="reward", simple_value=step / 10)])
    writer.add_event(Event(wall_time=1e9 + at, step=step, summary=summary))
writer.close()


def shown(*flags):
    """Steps that the server gives to its page."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "tensorboard.main", "--logdir", "logs", "--host", "127.0.0.1", "--port", str(port)]
    server = subprocess.Popen([*command, *flags], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for attempt in range(90):
            time.sleep(1)
            try:
                url = f"http://127.0.0.1:{port}/data/plugin/scalars/scalars?tag=reward&run=run"
                points = json.load(urllib.request.urlopen(url))
            except OSError:
                continue
            if points:
                return [step for _, step, _ in points]
    finally:
        server.terminate()
        server.wait()


reader = EventAccumulator("logs/run")
reader.Reload()
found = {
    "EventAccumulator": [event.step for event in reader.Scalars("reward")],
    "tensorboard --load_fast=false": shown("--load_fast=false"),
    "tensorboard": shown(),
}
print(f"tensorboard {version.VERSION}; written: steps {WRITTEN}")
for what, steps in found.items():
    print(f"{what:30} {steps}")
assert [*found.values()] == [WRITTEN, WRITTEN, [1, 2]]
PYTHON
