#!/usr/bin/env bash
# Takes back what current-up.sh and the demo did to the kind cluster of the user's kubeconfig. Called by down.sh.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
need_root
work_on current
[ -d "$STATE" ] || exit 0

in_cluster() { # the cluster may have gone meanwhile
	local made node
	cluster_kubectl --request-timeout 5s get --raw /readyz >/dev/null 2>&1 || return 0
	for made in namespace/demo namespace/private-registry-system customresourcedefinition.apiextensions.k8s.io/privateregistries.privateregistry.dev; do
		if grep -qx "$made" "$STATE/before"; then continue; fi
		if [ "$made" = namespace/private-registry-system ]; then
			KUBECONFIG=$STATE/kubeconfig "$BIN/helm" --namespace private-registry-system uninstall private-registry-operator >&2 || true
		fi
		cluster_kubectl delete "$made" --ignore-not-found --timeout 60s >&2 || true
	done
	use_engine || return 0
	for node in $(kind_nodes); do
		for made in "$STATE"/certs.d/*; do docker exec "$node" rm -rf "/etc/containerd/certs.d/$(basename "$made")" || true; done
		docker exec "$node" rm -rf "$BASE" || true
		docker exec "$node" ctr --namespace k8s.io images rm localhost/private-registry-operator:dev localhost/registry-server:dev \
			localhost/redis:7 localhost/hello:dev >/dev/null 2>&1 || true
	done
}

step "the user's kind cluster as before" in_cluster
while read -r range; do ip route del "$range" 2>/dev/null || true; done <"$STATE/routes" 2>/dev/null || true
rm -rf "$STATE"
