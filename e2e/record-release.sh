#!/usr/bin/env bash
# Prints what this release makes of the six-line object, as the API server keeps it. A later release is tested against it:
# operator/tests/passes/releases. Needs a cluster with the operator: make cluster-local, then e2e/install.sh.
#
#   record-release.sh > operator/tests/passes/releases/VERSION.yaml
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/env.sh"
namespace=tools
kubectl create namespace "$namespace" >&2
kubectl -n "$namespace" apply -f "$ROOT/examples/minimal.yaml" >&2
kubectl -n "$namespace" wait preg/team --for=condition=Ready --timeout=120s >&2
# Secrets stay out: what they hold is made anew, and nobody should find a key in a repository.
kubectl -n "$namespace" get deployments,services,configmaps,serviceaccounts,persistentvolumeclaims,networkpolicies \
	-l app.kubernetes.io/managed-by=privateregistry-operator -o yaml
kubectl delete namespace "$namespace" --wait=false >&2
