"""What TensorBoard, MLflow and trackio have, by their own readers: JSON on standard output, [track, step, name, value] a point.

Arguments as JSON: logdir, mlflow (url), experiment, trackio (the project's database file).
"""

import json
import logging
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.parse
import urllib.request

logging.disable(logging.WARNING)


def tensorboard(logdir):
    """As the page has it: the server as it starts by default, which reads with its data server."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "tensorboard.main", "--logdir", logdir, "--host", "127.0.0.1", "--port", str(port)]
    # All points, where the page would be given a sample of a thousand. Zero, which is to mean all, shows none.
    command += ["--samples_per_plugin", "scalars=1000000,text=1000000"]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def ask(path, body=None, **query):
        url = f"http://127.0.0.1:{port}/data/plugin/{path}?{urllib.parse.urlencode(query)}"
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(url, data, {"Content-Type": "application/json"})
        return json.load(urllib.request.urlopen(request, timeout=60))

    def everything():
        points = [
            [run, step, tag, value]
            for run, tags in ask("scalars/tags").items()
            for tag in tags
            for _, step, value in ask("scalars/scalars", run=run, tag=tag)
        ]
        texts = [
            [run, event["step"], tag]
            for run, tags in ask("text/tags").items()
            for tag in tags
            for event in ask("text/text", run=run, tag=tag)
        ]
        groups = ask(
            "hparams/session_groups",
            {"experimentName": "", "allowedStatuses": ["STATUS_UNKNOWN"], "colParams": [], "startIndex": 0, "sliceSize": 100},
        ).get("sessionGroups", [])
        hparams = {session["name"]: group["hparams"] for group in groups for session in group["sessions"]}
        return points, texts, hparams

    try:
        before = None
        # Until two looks in a row see the same: it reads the files in the background.
        for _ in range(120):
            time.sleep(2)
            try:
                now = everything()
            except OSError:
                continue
            if now[0] and now == before:
                return now
            before = now
        raise SystemExit("TensorBoard does not come to rest")
    finally:
        server.terminate()
        server.wait()


def event_accumulator(logdir):
    """By TensorBoard's own reader in Python, which shows a point twice that is there twice."""
    import os

    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from tensorboard.util.tensor_util import make_ndarray

    points = []
    for run in sorted(os.listdir(logdir)):
        reader = EventAccumulator(os.path.join(logdir, run), {"tensors": 0})
        reader.Reload()
        for tag in reader.Tags()["tensors"]:
            if reader.SummaryMetadata(tag).plugin_data.plugin_name == "scalars":
                points += [[run, event.step, tag, float(make_ndarray(event.tensor_proto))] for event in reader.Tensors(tag)]
    return points


def mlflow(url, experiment):
    from mlflow.tracking import MlflowClient

    client = MlflowClient(url)
    found = client.get_experiment_by_name(experiment)
    runs = client.search_runs([found.experiment_id], max_results=1000) if found else []
    points = [
        [run.info.run_name, metric.step, metric.key, metric.value]
        for run in runs
        for key in run.data.metrics
        for metric in client.get_metric_history(run.info.run_id, key)
    ]
    return points, {run.info.run_name: [run.info.status, len(run.data.params)] for run in runs}


def trackio(database):
    """Every row that it keeps."""
    rows = sqlite3.connect(f"file:{database}?mode=ro", uri=True).execute("SELECT run_name, step, metrics FROM metrics")
    return [
        [run, step, name, value]
        for run, step, metrics in rows
        for name, value in json.loads(metrics).items()
        if isinstance(value, (int, float))
    ]


asked = json.loads(sys.argv[1])
points, texts, hparams = tensorboard(asked["logdir"])
mlflow_points, mlflow_runs = mlflow(asked["mlflow"], asked["experiment"])
print(
    json.dumps(
        {
            "points": {
                "TensorBoard": points,
                "its EventAccumulator": event_accumulator(asked["logdir"]),
                "MLflow": mlflow_points,
                "trackio": trackio(asked["trackio"]),
            },
            "texts": texts,
            "hparams": {run: len(values) for run, values in hparams.items()},
            "mlflow": mlflow_runs,
        }
    )
)
