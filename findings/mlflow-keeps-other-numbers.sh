#!/usr/bin/env bash
# MLflow gives back other metrics than were logged: infinity as a number, and the larger of two values as the latest.
#
# Seen with: mlflow 3.17.2 (PyPI), with a SQLite database.
# Expected:  infinity as infinity or refused; of two values for a step the one that was logged last.
# Seen:      infinity comes back as 1.7976931348623157e+308 (NaN as NaN). A value that corrects an earlier one, with the same
#            step and time stamp, is the run's latest only if it is larger: 9 and then 3 stay 9. The same point with another
#            time stamp, as by a repeated request, is kept twice; with the same, once. All without a word.
# Instead:   look for divergence by isfinite before logging; log again with the time stamp of the first time.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check mlflow==3.17.2
venv/bin/python - <<'PYTHON'
import logging
import math

import mlflow
from mlflow.entities import Metric
from mlflow.tracking import MlflowClient

logging.disable(logging.INFO)
client = MlflowClient("sqlite:///mlflow.db")
run = client.create_run(client.create_experiment("one")).info.run_id


def log(key, value, timestamp=1, step=1):
    client.log_batch(run, metrics=[Metric(key, value, timestamp, step)])


log("infinite", math.inf)
log("nan", math.nan)
log("corrected down", 9.0)
log("corrected down", 3.0)
log("corrected up", 3.0)
log("corrected up", 9.0)
for timestamp in (1, 1, 2):
    log("repeated", 5.0, timestamp)
latest = client.get_run(run).data.metrics
repeated = [(m.timestamp, m.step, m.value) for m in client.get_metric_history(run, "repeated")]
print(f"mlflow {mlflow.__version__}")
print(f"infinity: {latest['infinite']}; NaN: {latest['nan']}")
print(f"9 and then 3: {latest['corrected down']}; 3 and then 9: {latest['corrected up']}")
print(f"a point logged at the times 1, 1 and 2: {repeated}")
assert latest["infinite"] == 1.7976931348623157e308 and math.isnan(latest["nan"])
assert latest["corrected down"] == latest["corrected up"] == 9
assert repeated == [(1, 1, 5.0), (2, 1, 5.0)]
PYTHON
