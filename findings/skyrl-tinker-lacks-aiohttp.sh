#!/usr/bin/env bash
# `pip install "skyrl[tinker,jax]"` gives a Tinker server that does not start: it imports aiohttp, which nothing brings.
#
# Seen with: skyrl 0.4.0, resolved for Python 3.12 by uv 0.13.9 (PyPI).
# Expected:  the extra `tinker` has all that `python -m skyrl.tinker.api` imports.
# Seen:      of the 142 packages that skyrl[tinker,jax] brings none is aiohttp (resolved, not installed: they take 6 GB), and a
#            module that skyrl/tinker/api.py imports has `import aiohttp` at its top: ModuleNotFoundError at the start.
# Instead:   pip install "skyrl[tinker,jax]" aiohttp.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check uv==0.13.9
echo 'skyrl[tinker,jax]==0.4.0' > wanted.txt
venv/bin/uv pip compile --quiet --no-header --no-annotate --python-version 3.12 wanted.txt > brought.txt
venv/bin/pip install --quiet --disable-pip-version-check --no-deps --ignore-requires-python --target skyrl-alone skyrl==0.4.0
venv/bin/python - <<'PYTHON'
from pathlib import Path

names = [line.split("==")[0] for line in Path("brought.txt").read_text().splitlines()]
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
