# shellcheck shell=bash disable=SC2034
# Settings and helpers of the cluster scripts. Sourced, never run; prints nothing by itself.
#
# From outside:
#   PREG_CACHE        built programs and images, kept by down.sh; ~/.cache/private-registry-e2e
#   PREG_CLUSTER_DIR  everything of the running cluster, removed by down.sh; /var/lib/private-registry-e2e
#   PREG_CLUSTER      which cluster up.sh brings up: kind, local or current
# Addresses are fixed: one cluster of each sort per machine. The two sorts can run side by side.
set -euo pipefail

CLUSTER=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
CACHE=$(realpath -m "${PREG_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/private-registry-e2e}")
BASE=$(realpath -m "${PREG_CLUSTER_DIR:-/var/lib/private-registry-e2e}")
STATE=$BASE # of the cluster at hand: work_on moves it
BIN=$CACHE/bin
IMAGES=$CACHE/images
SOCKET=$BASE/run/containerd.sock

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

# The kind cluster. The machine reaches its pods and services through the node's address.
KIND=private-registry-e2e
KIND_NODE=$KIND-control-plane
KIND_NETWORK=private-registry-e2e # of the container engine
KIND_LINK=pregkind0
KIND_CIDR=10.248.0.0/24
KIND_POD_CIDR=10.247.0.0/16
KIND_NODE_POD_CIDR=10.247.0.0/24
KIND_SERVICE_CIDR=10.97.0.0/16
KIND_DNS_IP=10.97.0.10
KIND_NFT_TABLE=preg_kind
NO_ENGINE=3 # exit status: no container engine can run here

# Started in this order, stopped in the reverse one.
PROCESSES=(containerd etcd kube-apiserver kube-controller-manager kube-scheduler kubelet kube-proxy kube-router)

say() { printf '[%3ds] %s\n' "$SECONDS" "$*" >&2; }
die() {
	say "error: $*"
	exit 1
}
need_root() { [ "$(id -u)" = 0 ] || die "must run as root"; }

# The cluster that was brought up last is the one that tests and the demo use: local, kind or current.
cluster_in_use() { cat "$BASE/in-use" 2>/dev/null || echo local; }
record_in_use() { echo "$1" >"$BASE/in-use"; }
work_on() { # local|kind|current
	STATE=$BASE
	[ "$1" = local ] || STATE=$BASE/$1
}

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

# The engine of the cluster at hand, which docker-up.sh found or started; an empty host is the machine's own.
use_engine() {
	DOCKER_HOST=$(cat "$STATE/docker-host" 2>/dev/null) || return 1
	if [ -n "$DOCKER_HOST" ]; then export DOCKER_HOST; else unset DOCKER_HOST; fi
}

# Containers that are nodes of the kind cluster at hand.
kind_nodes() {
	docker ps --filter "label=io.x-k8s.kind.cluster=$(cat "$STATE/kind-name" 2>/dev/null || echo "$KIND")" --format '{{.Names}}'
}

# copy_program FOLDER PROGRAM...: with the libraries that it loads, at the same places.
copy_program() {
	local folder=$1 file
	shift
	for file in "$@" $(ldd "$@" | grep -oE '/\S+\.so[^ :]*' | sort -u); do
		mkdir -p "$folder$(dirname "$file")"
		cp -L "$file" "$folder$file"
	done
}

# unmount_below FOLDER [EXCEPT]: deepest first; lazily, as a process may still look into one.
unmount_below() {
	local mount
	for _ in 1 2 3; do # one place may be mounted more than once
		awk -v at="$1/" -v except="${2:-/nothing}/" 'index($5, at) == 1 && index($5, except) != 1 {print $5}' /proc/self/mountinfo |
			sort -r | while read -r mount; do
			umount -l "$(printf '%b' "$mount")" 2>/dev/null || true # it may have gone meanwhile
		done
	done
}

# kill_shims SOCKET: containers outlive their containerd. Each has a shim that names its socket; the container's
# processes are the shim's children. They may go while we look.
kill_shims() {
	local folder pid child
	for folder in /proc/[0-9]*; do
		pid=${folder#/proc/}
		case $(tr '\0' ' ' 2>/dev/null <"$folder/cmdline" || true) in
		*containerd-shim-runc-v2*"-address $1 "*)
			for child in $(cat "$folder"/task/*/children 2>/dev/null || true); do kill -9 "$child" 2>/dev/null || true; done
			kill -9 "$pid" 2>/dev/null || true
			;;
		esac
	done 2>/dev/null
}

# kill_groups FOLDER...: a shim that was killed leaves its container's processes behind, in control groups.
kill_groups() {
	local folder pid
	for folder; do
		while read -r pid; do kill -9 "$pid" 2>/dev/null || true; done <"$folder/cgroup.procs" || true
	done 2>/dev/null
}

node_ctr() { ctr --address "$SOCKET" --namespace k8s.io "$@"; }
cluster_kubectl() { PATH=$BIN:$PATH kubectl --kubeconfig "$STATE/kubeconfig" "$@"; }
# Ours comes with all of Kubernetes, which takes long to build: the machine's will do.
need_kubectl() { PATH=$BIN:$PATH command -v kubectl >/dev/null || "$CLUSTER/programs.sh" k8s; }
