#!/usr/bin/env bash
# Builds the S3 server that the store's tests run against, once a machine: about three minutes of processor time. Where it
# cannot be built those tests are skipped, and say so.
set -euo pipefail
folder="${XDG_CACHE_HOME:-$HOME/.cache}/longhaul/bin"
[[ -x "$folder/versitygw" ]] && exit 0
command -v go >/dev/null || { echo 'no Go: the tests of stores on S3 are skipped'; exit 0; }
mkdir -p "$folder"
# A name of its own until it is whole: two checkouts may build at once.
building="$(mktemp -d "$folder/building.XXXXXX")"
trap 'rm -rf "$building"' EXIT
if GOBIN="$building" nice go install github.com/versity/versitygw/cmd/versitygw@v1.8.0 >"$building/log" 2>&1; then
  mv "$building/versitygw" "$folder/versitygw"
else
  tail -3 "$building/log"
  echo 'the S3 server could not be built: the tests of stores on S3 are skipped'
fi
