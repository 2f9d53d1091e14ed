#!/usr/bin/env bash
# Uses the kind cluster of the current kubeconfig, which stays what it is: this machine learns the way to its services.
# Prints the path of a kubeconfig for it. down.sh takes back what this and the demo did, and leaves the cluster.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
need_root
work_on current
if [ -n "${PREG_USER_KUBECONFIG+set}" ]; then export KUBECONFIG=$PREG_USER_KUBECONFIG; fi # env.sh took ours
need_kubectl
export PATH=$BIN:$PATH
need ip=iproute2 jq=jq curl=curl
context=$(kubectl config current-context) || die "there is no current kubeconfig"
[[ $context == kind-* ]] || die "the current context is $context, which is no kind cluster"
mkdir -p "$STATE"/{certs.d,logs}
# A run that failed may have had another engine in mind.
[ "$(cluster_in_use)" = current ] || echo "${DOCKER_HOST:-}" >"$STATE/docker-host"
use_engine
echo "${context#kind-}" >"$STATE/kind-name"
kubectl config view --minify --flatten >"$STATE/kubeconfig.new"
install -m 600 "$STATE/kubeconfig.new" "$STATE/kubeconfig" && rm "$STATE/kubeconfig.new"
# Only what was not there before is removed in the end.
if [ ! -e "$STATE/before" ]; then
	cluster_kubectl get crd,namespace -o name >"$STATE/before.new"
	mv "$STATE/before.new" "$STATE/before"
fi
for node in $(kind_nodes); do
	docker exec "$node" grep -q /etc/containerd/certs.d /etc/containerd/config.toml ||
		die "containerd of $node does not read /etc/containerd/certs.d: make the cluster with kind 0.27 or later"
done
settings=$(cluster_kubectl -n kube-system get configmap kubeadm-config -o 'jsonpath={.data.ClusterConfiguration}')
address=$(docker inspect -f '{{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}' "$(kind_nodes | grep control-plane | head -n 1)" | awk '{print $1}')
touch "$STATE/routes"
for range in $(awk '$1 == "serviceSubnet:" {print $2}' <<<"$settings"); do
	if ! grep -qx "$range" "$STATE/routes"; then
		[ -z "$(ip route show "$range")" ] ||
			die "this machine has a route to $range already: two clusters have the same services' addresses"
		echo "$range" >>"$STATE/routes"
	fi
	ip route replace "$range" via "$address"
done
record_in_use current
say "the kind cluster ${context#kind-} is used"
echo "$STATE/kubeconfig"
