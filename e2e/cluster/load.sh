#!/usr/bin/env bash
# Imports image archives into the nodes of the cluster in use (containerd's namespace k8s.io). Prints nothing on
# standard output. Pods name such an image with imagePullPolicy IfNotPresent or Never.
#
#   load.sh ARCHIVE...
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
need_root
IMPORT=(images import --all-platforms)
load() { # ARCHIVE
	local node
	if [ "$(cluster_in_use)" = local ]; then
		node_ctr "${IMPORT[@]}" "$1" >&2
		return
	fi
	for node in $(kind_nodes); do docker exec -i "$node" ctr --namespace k8s.io "${IMPORT[@]}" - <"$1" >&2; done
}
work_on "$(cluster_in_use)"
[ "$(cluster_in_use)" = local ] || use_engine || die "no cluster is up"
for archive; do step "loaded $(basename "$archive")" load "$archive"; done
