#!/usr/bin/env bash
# Brings the cluster up that PREG_CLUSTER asks for (cluster/up.sh), builds and loads the images, and installs the operator
# with its chart. A second run takes over what changed. Progress goes to standard error.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/env.sh"

"$E2E/cluster/programs.sh" clients helm conformance
"$E2E/cluster/up.sh" >/dev/null
source "$E2E/env.sh"
archives=$("$E2E/cluster/images.sh") # on a line of its own: here a failure ends the script
mapfile -t archives <<<"$archives"
"$E2E/cluster/load.sh" "${archives[@]}"

# The clients of the suite push this image: as an OCI layout, which is what its archive holds.
rm -rf "$HELLO_LAYOUT" && mkdir -p "$HELLO_LAYOUT"
tar -xf "$CACHE/images/hello.tar" -C "$HELLO_LAYOUT"

began=$SECONDS
date +%s >"$STATE/helm-began"
helm upgrade --install private-registry-operator "$ROOT/charts/private-registry-operator" \
	--namespace "$OPERATOR_NAMESPACE" --create-namespace --wait --timeout 120s \
	--set image.repository=localhost/private-registry-operator,image.tag=dev \
	--set registryImage=localhost/registry-server:dev,redisImage=localhost/redis:7 >&2
# The tag stays the same when the image changes: the pod must be made anew to run it.
kubectl -n "$OPERATOR_NAMESPACE" rollout restart deployment/private-registry-operator >&2
kubectl -n "$OPERATOR_NAMESPACE" rollout status deployment/private-registry-operator --timeout=120s >&2
echo "operator installed in $((SECONDS - began))s" >&2
