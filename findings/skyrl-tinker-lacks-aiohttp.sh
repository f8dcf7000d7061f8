#!/usr/bin/env bash
# `pip install "skyrl[tinker,jax]"` gives a Tinker server that does not start: it imports aiohttp, which nothing brings.
#
# Seen with: skyrl 0.4.0 (PyPI), Python 3.12 (PYTHON names it).
# Expected:  the extra `tinker` has all that `python -m skyrl.tinker.api` imports.
# Seen:      of all packages that pip would install for skyrl[tinker,jax] none is aiohttp (shown without installing them, which
#            takes 6 GB), and skyrl/tinker has `import aiohttp` at its top: ModuleNotFoundError at the start.
# Instead:   pip install "skyrl[tinker,jax]" aiohttp.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
"${PYTHON:-python3.12}" -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check --dry-run --ignore-installed --report report.json 'skyrl[tinker,jax]==0.4.0'
venv/bin/pip install --quiet --disable-pip-version-check --no-deps --target skyrl-alone skyrl==0.4.0
venv/bin/python - <<'PYTHON'
import json
from pathlib import Path

report = json.loads(Path("report.json").read_text())
names = sorted(one["metadata"]["name"].lower() for one in report["install"])
importing = [
    str(path.relative_to("skyrl-alone"))
    for path in sorted(Path("skyrl-alone/skyrl/tinker").rglob("*.py"))
    if any(line.startswith(("import aiohttp", "from aiohttp")) for line in path.read_text().splitlines())
]
print(f"skyrl[tinker,jax]==0.4.0: {len(names)} packages, aiohttp among them: {'aiohttp' in names}")
print(f"imported at the top of: {', '.join(importing)}")
assert "fastapi" in names and "jax" in names, "the extras bring other packages now"
assert importing, "it is not imported now"
assert "aiohttp" not in names, "it is brought now"
PYTHON
