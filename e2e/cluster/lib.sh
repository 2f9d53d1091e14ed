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
# Where tests with every client reach the server; on a bridge without a port, too.
CLIENT_LINK=pregclient0
CLIENT_IP=10.249.0.1
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
cluster_in_use() { if [ -e "$BASE/in-use" ]; then cat "$BASE/in-use"; else echo local; fi; }
record_in_use() { echo "$1" >"$BASE/in-use"; }
work_on() { # local|kind|current
	STATE=$BASE
	[ "$1" = local ] || STATE=$BASE/$1
}

# quietly COMMAND...: what it says is shown when it fails, and only then.
quietly() {
	local said
	said=$("$@" 2>&1) || {
		printf '%s\n' "$said" >&2
		return 1
	}
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
started_at() { sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | awk '$1 != "Z" {print $20}'; } # it may have ended

running() { # NAME: its process id, if it still runs
	local pid began
	[ -e "$STATE/pids/$1" ] && read -r pid began <"$STATE/pids/$1" || return 1
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

kill_all() { # PID...: each may end by itself before it is its turn
	local pid said
	for pid; do
		said=$(kill -9 "$pid" 2>&1) || [ ! -e "/proc/$pid" ] || die "cannot end process $pid: $said"
	done
}

kill_recorded() { # NAME: at once, and waits until it is gone
	local pid
	if pid=$(running "$1"); then
		kill_all "$pid"
		for _ in {1..250}; do
			running "$1" >/dev/null || break
			sleep 0.02
		done
	fi
	rm -f "$STATE/pids/$1"
}

wait_for() { # SECONDS WHAT COMMAND...
	local what=$2 end=$((SECONDS + $1)) said
	shift 2
	until said=$("$@" 2>&1); do
		[ "$SECONDS" -lt "$end" ] || die "$what: not ready in time; logs are in $STATE/logs; the last try said: $said"
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
	[ -e "$STATE/docker-host" ] || return 1
	DOCKER_HOST=$(cat "$STATE/docker-host")
	if [ -n "$DOCKER_HOST" ]; then export DOCKER_HOST; else unset DOCKER_HOST; fi
}

# Containers that are nodes of the kind cluster at hand.
kind_nodes() {
	local name=$KIND
	if [ -e "$STATE/kind-name" ]; then name=$(cat "$STATE/kind-name"); fi # a cluster of the user's
	docker ps --filter "label=io.x-k8s.kind.cluster=$name" --format '{{.Names}}'
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
	local mount said
	for _ in 1 2 3; do # one place may be mounted more than once
		awk -v at="$1/" -v except="${2:-/nothing}/" 'index($5, at) == 1 && index($5, except) != 1 {print $5}' /proc/self/mountinfo |
			sort -r | while read -r mount; do
			said=$(umount -l "$(printf '%b' "$mount")" 2>&1) || ! grep -qF " $mount " /proc/self/mountinfo || say "$said"
		done
	done
}

# kill_shims SOCKET: containers outlive their containerd. Each has a shim that names its socket; the container's
# processes are the shim's children.
kill_shims() {
	local folder children line
	for folder in /proc/[0-9]*; do
		# One that went while we look is nobody to kill.
		line=$({ tr '\0' ' ' <"$folder/cmdline"; } 2>&1) || continue
		case $line in
		*containerd-shim-runc-v2*"-address $1 "*)
			# A thread may go while we look, and takes no children with it.
			mapfile -t children < <(cat "$folder"/task/*/children 2>/dev/null | tr ' ' '\n' | grep .)
			kill_all "${children[@]}" "${folder#/proc/}"
			;;
		esac
	done
}

# control_groups PATTERN: folders of the control groups below those of that name, deepest first. One that goes while we
# look is no match.
control_groups() {
	local folders
	shopt -s globstar nullglob
	# shellcheck disable=SC2206 # it is a pattern
	folders=(/sys/fs/cgroup/**/$1/**/)
	[ ${#folders[@]} = 0 ] || printf '%s\n' "${folders[@]%/}" | sort -ru
}

# kill_groups FOLDER...: a shim that was killed leaves its container's processes behind, in control groups.
kill_groups() {
	local folder pids
	for folder; do
		mapfile -t pids < <(cat "$folder/cgroup.procs" 2>/dev/null) # a group may go while we look
		kill_all "${pids[@]}"
	done
}

# remove_groups FOLDER...: one whose last process is ending still stays, and is empty then.
remove_groups() {
	local folder
	for folder; do
		if [ -d "$folder" ]; then rmdir --ignore-fail-on-non-empty "$folder"; fi
	done
}

remove_link() { # of the network, if it is there
	if [ -e "/sys/class/net/$1" ]; then ip link del "$1"; fi
}

remove_table() { # FAMILY NAME of nftables, if it is there
	local tables
	command -v nft >/dev/null || return 0 # no cluster of ours was ever here
	tables=$(nft list tables) || {
		say "nft does not work here, so it holds no table of ours"
		return 0
	}
	if grep -qx "table $1 $2" <<<"$tables"; then nft delete table "$1" "$2"; fi
}

# What the node of either cluster needs of this machine. The packets that the rule names leave under its address.
machine_network() { # NFT-TABLE RULE
	sysctl -qw net.ipv4.ip_forward=1 fs.inotify.max_user_instances=1024 fs.inotify.max_user_watches=524288
	# Policies judge what pods on one bridge send each other, too.
	[ -e /proc/sys/net/bridge ] || modprobe br_netfilter || say "policies between pods will not work"
	nft -f - <<-NFT
		add table ip $1
		delete table ip $1
		table ip $1 {
			chain postrouting {
				type nat hook postrouting priority srcnat; policy accept;
				$2 masquerade
			}
		}
	NFT
}

node_ctr() { ctr --address "$SOCKET" --namespace k8s.io "$@"; }
cluster_kubectl() { PATH=$BIN:$PATH kubectl --kubeconfig "$STATE/kubeconfig" "$@"; }
# Ours comes with all of Kubernetes, which takes long to build: the machine's will do.
need_kubectl() { PATH=$BIN:$PATH command -v kubectl >/dev/null || "$CLUSTER/programs.sh" k8s; }
