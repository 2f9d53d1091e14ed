#!/usr/bin/env bash
# Finds the machine's container engine, or starts Debian's with a folder and a socket of its own. Prints its
# DOCKER_HOST, which is empty for the machine's; exits with status 3 where no engine can run.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
need_root
work_on kind
mkdir -p "$STATE"/{pids,logs,run}

answers() { timeout 10 docker version >/dev/null 2>&1; } # that there is no engine is one of its two answers

# Programs that were killed leave their numbers in files, and count as running while nobody has collected them.
forget_killed() { # FILE... below run
	local file
	for file; do
		[ -e "$STATE/run/$file" ] || continue
		for _ in {1..50}; do
			[ -n "$(started_at "$(cat "$STATE/run/$file")")" ] || break # it ends with its parent, in a moment
			sleep 0.1
		done
		[ -n "$(started_at "$(cat "$STATE/run/$file")")" ] || rm -f "$STATE/run/$file"
	done
}

start_ours() {
	need dockerd=docker.io docker=docker.io jq=jq capsh=libcap2-bin iptables=iptables
	export DOCKER_HOST=unix://$STATE/run/docker.sock
	if answers; then return; fi
	sysctl -qw net.ipv4.ip_forward=1
	# No rules of its own in the machine's tables (kind-up.sh makes the few that are needed), and no bridge beside
	# kind's. live-restore: containers outlive an engine that was killed. A file of its own, because the machine's
	# may hold anything; the key would lie in /etc.
	write "$STATE/daemon.json" <<-JSON
		{
		  "data-root": "$STATE/docker", "exec-root": "$STATE/run/docker", "pidfile": "$STATE/run/docker.pid",
		  "hosts": ["$DOCKER_HOST"], "deprecated-key-path": "$STATE/run/docker-key.json",
		  "bridge": "none", "iptables": false, "ip6tables": false, "live-restore": true,
		  "storage-driver": "overlay2", "exec-opts": ["native.cgroupdriver=cgroupfs"],
		  "runtimes": {"within-bounds": {"path": "$CLUSTER/kind/runc-within-bounds"}}, "default-runtime": "within-bounds"
		}
	JSON
	[ -e /run/docker ] || touch "$STATE/run-docker-is-ours" # it has its place outside
	running dockerd >/dev/null || forget_killed docker.pid docker/containerd/containerd.pid
	start dockerd dockerd --config-file "$STATE/daemon.json"
	for _ in {1..150}; do
		if answers; then return; fi
		running dockerd >/dev/null || break
		sleep 0.2
	done
	say "NO CONTAINER ENGINE: none answers on this machine, and dockerd does not run here: $STATE/logs/dockerd.log ends with"
	tail -n 3 "$STATE/logs/dockerd.log" >&2
	exit "$NO_ENGINE"
}

# The engine that holds the cluster already comes first.
if use_engine && answers; then
	say "container engine: as before"
elif [ ! -e "$STATE/run/docker.sock" ] && command -v docker >/dev/null && answers; then
	say "container engine: this machine's"
	echo "${DOCKER_HOST:-}" >"$STATE/docker-host"
else
	step "container engine: our own" start_ours
	echo "$DOCKER_HOST" >"$STATE/docker-host"
fi
echo "${DOCKER_HOST:-}"
