# shellcheck shell=bash disable=SC2034
# Settings and helpers of the cluster scripts. Sourced, never run; prints nothing by itself.
#
# From outside:
#   PREG_CACHE        built programs and images, kept by down.sh; ~/.cache/private-registry-e2e
#   PREG_CLUSTER_DIR  everything of the running cluster, removed by down.sh; /var/lib/private-registry-e2e
# Addresses are fixed: one cluster per machine.
set -euo pipefail

CLUSTER=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
CACHE=$(realpath -m "${PREG_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/private-registry-e2e}")
STATE=$(realpath -m "${PREG_CLUSTER_DIR:-/var/lib/private-registry-e2e}")
BIN=$CACHE/bin
IMAGES=$CACHE/images
SOCKET=$STATE/run/containerd.sock

# The node's address is on a bridge without a port: nothing uses the machine's real network.
NODE=e2e-node
NODE_LINK=pregnode0
NODE_IP=10.245.0.1
POD_LINK=pregpod0
POD_CIDR=10.244.0.0/16
NODE_POD_CIDR=10.244.0.0/24
SERVICE_CIDR=10.96.0.0/16
DNS_IP=10.96.0.10
NFT_TABLE=preg_e2e
CGROUP=preg-e2e # of the pods

# Started in this order, stopped in the reverse one.
PROCESSES=(containerd etcd kube-apiserver kube-controller-manager kube-scheduler kubelet kube-proxy kube-router)

say() { printf '[%3ds] %s\n' "$SECONDS" "$*" >&2; }
die() {
	say "error: $*"
	exit 1
}
need_root() { [ "$(id -u)" = 0 ] || die "must run as root"; }

# step WHAT COMMAND...: runs it and says how long it took.
step() {
	local what=$1 began=$SECONDS
	shift
	"$@"
	say "$what: $((SECONDS - began))s"
}

# need COMMAND-OR-PATH=PACKAGE...: installs the packages of what is missing.
need() {
	local pair missing=()
	for pair; do
		command -v "${pair%%=*}" >/dev/null || [ -e "${pair%%=*}" ] || missing+=("${pair#*=}")
	done
	[ ${#missing[@]} = 0 ] || step "installed ${missing[*]}" apt_install "${missing[@]}"
}
# RUNLEVEL: no service of a package is started.
apt_install() {
	{ apt-get update -q && RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends "$@"; } >&2
}

# A number may belong to another process by now; together with the time it started it does not.
# A process that has ended and was not collected yet has no such time.
started_at() { sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | awk '$1 != "Z" {print $20}'; }

running() { # NAME: its process id, if it still runs
	local pid began
	read -r pid began 2>/dev/null <"$STATE/pids/$1" || return 1
	[ -n "$began" ] && [ "$(started_at "$pid")" = "$began" ] && echo "$pid"
}

start() { # NAME COMMAND...: in the background, unless it runs
	local name=$1 pid
	shift
	if running "$name" >/dev/null; then return; fi
	setsid "$@" >>"$STATE/logs/$name.log" 2>&1 </dev/null &
	pid=$!
	disown
	echo "$pid $(started_at "$pid")" >"$STATE/pids/$name"
}

kill_recorded() { # NAME: at once, and waits until it is gone
	local pid
	if pid=$(running "$1"); then
		kill -9 "$pid" 2>/dev/null || true
		for _ in {1..250}; do
			running "$1" >/dev/null || break
			sleep 0.02
		done
	fi
	rm -f "$STATE/pids/$1"
}

wait_for() { # SECONDS WHAT COMMAND...
	local what=$2 end=$((SECONDS + $1))
	shift 2
	until "$@" >/dev/null 2>&1; do
		[ "$SECONDS" -lt "$end" ] || die "$what: not ready in time; logs are in $STATE/logs"
		sleep 0.2
	done
}

# Leaves an equal file alone: kube-proxy ends when its configuration is written anew.
write() { # FILE, from standard input
	cat >"$1.new"
	if cmp -s "$1.new" "$1"; then rm "$1.new"; else mv "$1.new" "$1"; fi
}

node_ctr() { ctr --address "$SOCKET" --namespace k8s.io "$@"; }
cluster_kubectl() { "$BIN/kubectl" --kubeconfig "$STATE/kubeconfig" "$@"; }
