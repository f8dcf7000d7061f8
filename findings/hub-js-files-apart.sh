#!/usr/bin/env bash
# What @huggingface/hub downloads from a branch lies in folders of several commits, and Python goes on with the older file.
#
# Seen with: @huggingface/hub 2.17.5 (npm), Node 20; huggingface_hub 2.4.0 (PyPI), with a stand-in for the Hub on this machine.
# Expected:  the two share a cache folder, so a file of "main" lies under the commit that main is, beside the others of its
#            repository, and refs/main says which commit that is; so Python does it.
# Seen:      downloadFileToCacheDir puts each file under the commit that changed that file last: config.json and tokenizer.json
#            of one model come into two folders, neither of which is the model. It writes no refs/main: Python without a
#            network finds none of them; and where an earlier download by Python left a refs/main, Python without a network
#            gives the older config.json, without a word, though the newer one lies in the same cache.
# Instead:   ask for the branch's commit first and give it as revision, or use snapshotDownload, which does both.
set -euo pipefail
folder=$(mktemp -d)
trap 'kill "${hub:-}" 2>/dev/null || true; rm -rf "$folder"' EXIT
cd "$folder"
export HF_HOME="$folder/home" HF_HUB_DISABLE_XET=1 HF_HUB_DISABLE_PROGRESS_BARS=1
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check huggingface_hub==2.4.0
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts @huggingface/hub@2.17.5
cat > hub.py <<'PYTHON'
"""A repository with three commits: tokenizer.json is of the first, config.json is changed by each. `now` names main's."""
import hashlib
import json
import re
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

COMMITS = ["1" * 40, "2" * 40, "3" * 40]


def at(revision, path):
    """Content and last commit of a file there."""
    commit = Path("now").read_text() if revision == "main" else revision
    last = COMMITS[0] if path == "tokenizer.json" else commit
    content = json.dumps({"commit": last[0], "file": path}).encode()
    return commit, last, content, hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


class Hub(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def reply(self, status, content, **headers):
        self.send_response(status)
        for name, value in {"Content-Length": len(content), **headers}.items():
            self.send_header(name.replace("_", "-"), str(value))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def do_GET(self):
        asked = re.fullmatch(r"/me/model/resolve/([^/]+)/(.+)", self.path)
        if not asked:
            return self.reply(404, b"{}")
        commit, last, content, oid = at(*asked.groups())
        headers = {"ETag": f'"{oid}"', "X_Repo_Commit": commit, "Accept_Ranges": "bytes"}
        part = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        if not part:
            return self.reply(200, content, **headers)
        start, end = int(part[1]), min(int(part[2] or len(content)), len(content) - 1)
        self.reply(206, content[start : end + 1], Content_Range=f"bytes {start}-{end}/{len(content)}", **headers)

    do_HEAD = do_GET

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        revision = re.fullmatch(r"/api/models/me/model/paths-info/([^/]+)", self.path)[1]
        found = []
        for path in body["paths"]:
            commit, last, content, oid = at(revision, path)
            commit_info = {"id": last, "title": "c", "date": "2026-01-01T00:00:00Z"}
            found.append({"type": "file", "path": path, "oid": oid, "size": len(content), "lastCommit": commit_info})
        self.reply(200, json.dumps(found).encode(), Content_Type="application/json")


server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
Path("port").write_text(str(server.server_port))
server.serve_forever()
PYTHON
cat > download.mjs <<'JAVASCRIPT'
import { downloadFileToCacheDir } from '@huggingface/hub';

console.debug = () => {};
for (const path of process.argv.slice(2)) {
  const at = await downloadFileToCacheDir({ repo: 'me/model', path, hubUrl: process.env.HF_ENDPOINT });
  console.log(at.split('/snapshots/')[1]);
}
JAVASCRIPT
cat > check.py <<'PYTHON'
import json
import os
import subprocess
from pathlib import Path

from huggingface_hub import hf_hub_download

REPO = Path(os.environ["HF_HOME"], "hub", "models--me--model")


def javascript(*paths):
    return subprocess.check_output(["node", "--no-warnings", "download.mjs", *paths], text=True).split()


def python(path, **how):
    try:
        return json.loads(Path(hf_hub_download("me/model", path, **how)).read_text())["commit"]
    except Exception as error:
        return type(error).__name__


Path("now").write_text("2" * 40)
apart = javascript("config.json", "tokenizer.json")
print("main is commit 2; from JavaScript:", *apart)
refs = (REPO / "refs").exists()
offline = python("config.json", local_files_only=True)
print("refs written:", refs, "; Python without a network:", offline)
together = [python("config.json"), python("tokenizer.json")]
print("Python with a network: config.json of commit", together[0], "; refs/main", (REPO / "refs/main").read_text()[0])
Path("now").write_text("3" * 40)
newer = javascript("config.json")
stale = python("config.json", local_files_only=True)
print("main is commit 3; from JavaScript:", *newer, "; Python without a network: config.json of commit", stale)
assert apart == ["2" * 40 + "/config.json", "1" * 40 + "/tokenizer.json"] and not refs
assert offline == "LocalEntryNotFoundError" and together == ["2", "1"]
assert newer == ["3" * 40 + "/config.json"] and stale == "2"
PYTHON
python3 hub.py &
hub=$!
until [ -s port ]; do sleep 0.2; done
export HF_ENDPOINT="http://127.0.0.1:$(cat port)"
venv/bin/python check.py
