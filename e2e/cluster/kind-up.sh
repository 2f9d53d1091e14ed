#!/usr/bin/env bash
# Brings up a one-node kind cluster, or starts again what has ended of it. Prints the path of its kubeconfig on
# standard output and nothing else there. -f takes the last one down first. Exits with status 3 where no container
# engine can run.
#
#   export KUBECONFIG=$(kind-up.sh [-f])
#
# This machine reaches pods and services of the node at their addresses. Pulling from a private registry works as
# local-up.sh says, with the folder $STATE/certs.d of this cluster.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
need_root
[ "${1:-}" != -f ] || "$CLUSTER/down.sh" kind
work_on kind
export KIND_EXPERIMENTAL_DOCKER_NETWORK=$KIND_NETWORK
kind() { # what it has to say is shown when it fails
	"$BIN/kind" "$@" >>"$STATE/logs/kind.log" 2>&1 || {
		tail -n 40 "$STATE/logs/kind.log" >&2
		return 1
	}
}

node_is() { [ "$(docker inspect -f "{{.State.$1}}" "$KIND_NODE")" = true ]; }
node_there() { [ -n "$(docker ps --all --quiet --filter "name=^$KIND_NODE\$")" ]; }
api_answers() { cluster_kubectl --request-timeout 3s get --raw /readyz; }
node_ready() { cluster_kubectl wait node --all --for=condition=Ready --timeout=1s; }
# The published image enforces policies by itself, ours by kube-router. What the API server says may be the last run's,
# so we also ask DNS's metrics, by a Service and from this machine, as the tests will.
workloads_ready() {
	cluster_kubectl -n kube-system rollout status deployment/coredns --timeout=2s &&
		cluster_kubectl -n local-path-storage rollout status deployment/local-path-provisioner --timeout=2s &&
		curl -fsS --max-time 2 -o /dev/null "http://$KIND_DNS_IP:9153/metrics" &&
		docker exec "$KIND_NODE" sh -c \
			'! [ -e /usr/bin/kube-router ] || iptables -S KUBE-ROUTER-FORWARD | grep -q "explicitly ACCEPT"'
}

network() {
	machine_network "$KIND_NFT_TABLE" "ip saddr $KIND_CIDR oifname != \"$KIND_LINK\""
	[ -n "$(docker network ls --quiet --filter "name=^$KIND_NETWORK\$")" ] ||
		docker network create --subnet "$KIND_CIDR" -o com.docker.network.bridge.name="$KIND_LINK" "$KIND_NETWORK" >/dev/null
}

create() {
	sed -e "s#\${CERTS_D}#$STATE/certs.d#g" -e "s#\${POD_CIDR}#$KIND_POD_CIDR#" -e "s#\${SERVICE_CIDR}#$KIND_SERVICE_CIDR#" \
		"$CLUSTER/kind/cluster.yaml" >"$STATE/cluster.yaml"
	kind delete cluster --name "$KIND" --kubeconfig "$STATE/kind.kubeconfig"
	kind create cluster --name "$KIND" --image "$1" --config "$STATE/cluster.yaml" --kubeconfig "$STATE/kind.kubeconfig"
}

reach() { # at the node's address, which is also in the certificate: no port of the machine is needed
	local address
	address=$(docker inspect -f "{{(index .NetworkSettings.Networks \"$KIND_NETWORK\").IPAddress}}" "$KIND_NODE")
	ip route replace "$KIND_SERVICE_CIDR" via "$address"
	ip route replace "$KIND_POD_CIDR" via "$address"
	install -m 600 "$STATE/kind.kubeconfig" "$STATE/kubeconfig"
	cluster_kubectl config set-cluster "kind-$KIND" --server "https://$address:6443" >/dev/null
}

resume() { # a node that has ended, or whose engine has
	node_is Running || step "node started again" docker start "$KIND_NODE" >/dev/null || return 1
	reach || return 1
	for _ in {1..300}; do
		if api_answers >/dev/null 2>&1; then return; fi # until then it says that it cannot
		sleep 0.2
	done
	say "the node that was left does not come up again: it is made anew"
	return 1
}

need nft=nftables ip=iproute2 jq=jq curl=curl
mkdir -p "$STATE"/{pids,logs,run,certs.d} "$IMAGES"
step programs "$CLUSTER/programs.sh" kind
need_kubectl
DOCKER_HOST=$("$CLUSTER/docker-up.sh")
use_engine
step network network
if ! node_there || [ ! -e "$STATE/kind.kubeconfig" ] || ! resume; then
	image=$("$CLUSTER/kind-image.sh")
	step "kind create cluster" create "$image"
	reach
fi
wait_for 90 node node_ready
step "workloads ready" wait_for 120 "workloads of the node" workloads_ready
record_in_use kind
say "the kind cluster is up"
echo "$STATE/kubeconfig"
