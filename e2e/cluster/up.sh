#!/usr/bin/env bash
# Brings up the cluster that PREG_CLUSTER (`make ... CLUSTER=`) asks for, and prints the path of its kubeconfig on standard output:
#
#   kind      a kind cluster. Where no container engine can run this is said, and the local control plane is used
#   local     the local control plane
#   current   the kind cluster of the current kubeconfig (current-up.sh)
#   (none)    the one that was brought up last and not taken down; else kind where a container engine answers, else local
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cluster=${PREG_CLUSTER:-}
if [ -z "$cluster" ] && [ -e "$BASE/in-use" ]; then
	cluster=$(cluster_in_use)
elif [ -z "$cluster" ]; then
	# That there is no engine is one of the two answers.
	if command -v docker >/dev/null && timeout 10 docker version >/dev/null 2>&1; then cluster=kind; else cluster=local; fi
fi
case $cluster in
local | current) exec "$CLUSTER/$cluster-up.sh" ;;
kind)
	"$CLUSTER/kind-up.sh" && exit
	status=$?
	[ "$status" = "$NO_ENGINE" ] || exit "$status"
	say "NO KIND CLUSTER on this machine: the local control plane takes its place"
	exec "$CLUSTER/local-up.sh"
	;;
*) die "the cluster is kind, local or current, not $cluster" ;;
esac
