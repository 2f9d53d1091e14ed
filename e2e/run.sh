#!/usr/bin/env bash
# Runs the end-to-end suite against the cluster that install.sh made. Arguments go to the test program.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/env.sh"
[ "$(cluster_in_use)" != current ] || die "the suite stops parts of its cluster: make it one of its own"
need skopeo=skopeo docker-registry=docker-registry htpasswd=apache2-utils openssl=openssl curl=curl
(cd "$ROOT" && cargo build --locked -p registry-server)
export REGISTRY_SERVER=$ROOT/target/debug/registry-server
export RUST_BACKTRACE=0
# What the registries of the tests kept secret.
export CANARIES=$STATE/canaries
: >"$CANARIES"
# Of the whole workspace: then libraries are those that its other tests have built.
suite() { cargo test --locked --manifest-path "$ROOT/Cargo.toml" --workspace --test "$@"; }

# What is secret is in no log. operator 81: the chart's role is all that the operator has: whatever it was refused is in its
# log. Of a container that was killed, Kubernetes keeps the log of the one before, too.
logs_are_clean() {
	local pod logs operators=app.kubernetes.io/name=private-registry-operator
	for pod in $(kubectl -n "$OPERATOR_NAMESPACE" get pods -l "$operators" -o name); do
		logs=$(kubectl -n "$OPERATOR_NAMESPACE" logs "$pod" --tail=-1)
		if [ "$(kubectl -n "$OPERATOR_NAMESPACE" get "$pod" -o 'jsonpath={.status.containerStatuses[0].restartCount}')" != 0 ]; then
			logs+=$(kubectl -n "$OPERATOR_NAMESPACE" logs "$pod" --previous --tail=-1)
		fi
		# What a namespace that is being deleted refuses is no matter of rights.
		if grep -E 'forbidden: User ' <<<"$logs" >&2; then die "the chart's role lacks something that the operator needs"; fi
		if grep -qFf "$CANARIES" <<<"$logs"; then die "the operator's log tells what is secret"; fi
	done
}

# Two at a time: each test has namespaces of its own.
suite chain -- --test-threads=2 "$@"
[ $# -gt 0 ] || [ -s "$CANARIES" ] || die "no test has written down what is secret"
logs_are_clean
[ $# -gt 0 ] || "$E2E/docs-cluster.sh"
# The short form of `make scale`.
[ $# -gt 0 ] || "$E2E/scale.sh" 40
suite outage -- --test-threads=1 --show-output "$@"
logs_are_clean
