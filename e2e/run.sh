#!/usr/bin/env bash
# Runs the end-to-end suite against the cluster that install.sh made. Arguments go to the test program.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/env.sh"
command -v skopeo >/dev/null || { apt-get update -q && apt-get install -qy --no-install-recommends skopeo; } >&2
# Two at a time: each test has namespaces of its own.
exec cargo test --locked --manifest-path "$ROOT/Cargo.toml" -p e2e -- --test-threads=2 "$@"
