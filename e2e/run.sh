#!/usr/bin/env bash
# Runs the end-to-end suite against the cluster that install.sh made. Arguments go to the test program.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/env.sh"
[ "$(cluster_in_use)" != current ] || die "the suite stops parts of its cluster: make it one of its own"
need skopeo=skopeo docker-registry=docker-registry htpasswd=apache2-utils openssl=openssl curl=curl
# Two at a time: each test has namespaces of its own.
(cd "$ROOT" && cargo build --locked -p registry-server)
export REGISTRY_SERVER=$ROOT/target/debug/registry-server
export RUST_BACKTRACE=0
cargo test --locked --manifest-path "$ROOT/Cargo.toml" -p e2e -- --test-threads=2 "$@"

# The chart's role is all that the operator has: whatever it was refused would be in its log.
logs=$(kubectl -n "$OPERATOR_NAMESPACE" logs -l app.kubernetes.io/name=private-registry-operator --tail=-1)
if grep -i forbidden <<<"$logs" >&2; then die "the chart's role lacks something that the operator needs"; fi
