#!/usr/bin/env bash
# Runs the end-to-end suite against the cluster that install.sh made. Arguments go to the test program.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/env.sh"
need=()
for package in skopeo docker-registry; do command -v "$package" >/dev/null || need+=("$package"); done
[ ${#need[@]} = 0 ] || { apt-get update -q && apt-get install -qy --no-install-recommends "${need[@]}"; } >&2
# Two at a time: each test has namespaces of its own.
(cd "$ROOT" && cargo build --locked -p registry-server)
export REGISTRY_SERVER=$ROOT/target/debug/registry-server
export RUST_BACKTRACE=0
exec cargo test --locked --manifest-path "$ROOT/Cargo.toml" -p e2e -- --test-threads=2 "$@"
