#!/usr/bin/env bash
# Takes back what current-up.sh and the demo did to the kind cluster of the user's kubeconfig. Called by down.sh.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
need_root
work_on current
[ -d "$STATE" ] || exit 0

LEFT=0
removed() { # COMMAND...: what fails is said, and the rest is removed all the same
	"$@" >&2 || LEFT=1
}

objects() {
	local made
	if ! cluster_kubectl --request-timeout 5s get --raw /readyz >/dev/null; then
		if use_engine && timeout 10 docker version >/dev/null && [ -z "$(kind_nodes)" ]; then
			say "the cluster is gone, and all that was in it"
		else
			say "the cluster does not answer: start it, and take ours down again; if it is gone for good, remove $STATE"
			LEFT=1
		fi
		return
	fi
	for made in namespace/demo namespace/private-registry-system customresourcedefinition.apiextensions.k8s.io/privateregistries.privateregistry.dev; do
		if grep -qx "$made" "$STATE/before"; then continue; fi
		if [ "$made" = namespace/private-registry-system ] && [ -x "$BIN/helm" ]; then
			removed env KUBECONFIG="$STATE/kubeconfig" "$BIN/helm" --namespace private-registry-system uninstall \
				private-registry-operator --ignore-not-found
		fi
		removed cluster_kubectl delete "$made" --ignore-not-found --timeout 60s
	done
}

on_nodes() {
	local node made
	if ! use_engine || ! timeout 10 docker version >/dev/null; then
		say "the container engine does not answer: start it, and take ours down again; if it is gone for good, remove $STATE"
		LEFT=1
		return
	fi
	for node in $(kind_nodes); do
		for made in "$STATE"/certs.d/*; do
			if [ -e "$made" ]; then removed docker exec "$node" rm -rf "/etc/containerd/certs.d/$(basename "$made")"; fi
		done
		removed docker exec "$node" rm -rf "$STATE"
		# ctr only says so where an image is not there.
		removed docker exec "$node" ctr --namespace k8s.io images rm localhost/private-registry-operator:dev \
			localhost/registry-server:dev localhost/redis:7 localhost/hello:dev
	done
}

routes() {
	local range
	[ -e "$STATE/routes" ] || return 0
	while read -r range; do
		if [ -n "$(ip route show "$range")" ]; then removed ip route del "$range"; fi
	done <"$STATE/routes"
}

if [ -e "$STATE/before" ]; then step "objects in the user's kind cluster" objects; fi
if [ -e "$STATE/docker-host" ]; then step "its nodes as before" on_nodes; fi
routes
[ "$LEFT" = 0 ] || die "something of ours is left, see above: what it is remains in $STATE for the next try"
rm -rf "$STATE"
