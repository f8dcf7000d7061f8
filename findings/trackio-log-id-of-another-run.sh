#!/usr/bin/env bash
# trackio drops a point without a word where any other run of the project has one with its log_id.
#
# Seen with: trackio 0.43.0 (PyPI).
# Expected:  a log_id, which makes a repeated request harmless, tells the points of one run apart: the request carries the
#            run's name and id beside it.
# Seen:      it is unique in the whole project. Two runs that number their points 0, 1, 2 … each get HTTP 200 for all of
#            them; of the second nothing is kept, and it does not appear among the runs.
# Instead:   put the run's own id into log_id, and count what is kept (get_run_summary).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check trackio==0.43.0
venv/bin/python - <<'PYTHON'
import importlib.metadata
import json
import os
import socket
import subprocess
import time
import urllib.request

with socket.socket() as free:
    free.bind(("127.0.0.1", 0))
    port = free.getsockname()[1]
token = "only-for-this-script"
settings = {"TRACKIO_DIR": os.path.abspath("data"), "TRACKIO_WRITE_TOKEN": token, "BROWSER": "true"}
settings |= {"GRADIO_SERVER_PORT": str(port), "GRADIO_NUM_PORTS": "1"}
server = subprocess.Popen(
    ["venv/bin/trackio", "show", "--host", "127.0.0.1"],
    env=os.environ | settings,
    stdout=subprocess.DEVNULL,
    stderr=subprocess.DEVNULL,
)


def call(name, **kwargs):
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/api/{name}",
        json.dumps({"kwargs": kwargs}).encode(),
        {"Content-Type": "application/json", "X-Trackio-Write-Token": token},
    )
    for attempt in range(120):
        try:
            reply = urllib.request.urlopen(request)
        except OSError:
            time.sleep(1)
            continue
        assert reply.status == 200
        return json.load(reply)["data"]
    raise SystemExit("trackio does not answer")


def log(run, log_ids):
    logs = [
        {"project": "p", "run": run, "run_id": run, "step": step, "log_id": log_id, "metrics": {"loss": 1.0}}
        for step, log_id in enumerate(log_ids)
    ]
    call("bulk_log", logs=logs, hf_token=None)
    return call("get_run_summary", project="p", run=run, run_id=run)["num_logs"]


try:
    kept = {
        "first, with 0, 1, 2": log("first", ["0", "1", "2"]),
        "first, once more": log("first", ["0", "1", "2"]),
        "second, with 0, 1, 2": log("second", ["0", "1", "2"]),
        "third, with third/0 …": log("third", ["third/0", "third/1", "third/2"]),
    }
finally:
    server.terminate()
    server.wait()
print(f"trackio {importlib.metadata.version('trackio')}; points kept of 3, each request answered with 200")
for what, count in kept.items():
    print(f"{what:24} {count}")
assert [*kept.values()] == [3, 3, 0, 3]
PYTHON
