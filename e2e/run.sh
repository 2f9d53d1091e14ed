#!/usr/bin/env bash
# Runs the end-to-end suite against the cluster that install.sh made. Arguments go to the test program.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/env.sh"
[ "$(cluster_in_use)" != current ] || die "the suite stops parts of its cluster: make it one of its own"
need skopeo=skopeo docker-registry=docker-registry
# Two at a time: each test has namespaces of its own.
(cd "$ROOT" && cargo build --locked -p registry-server)
export REGISTRY_SERVER=$ROOT/target/debug/registry-server
export RUST_BACKTRACE=0
exec cargo test --locked --manifest-path "$ROOT/Cargo.toml" -p e2e -- --test-threads=2 "$@"
