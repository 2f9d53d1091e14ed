#!/usr/bin/env bash
# Takes the kind cluster down, and the container engine if it is ours, with all that they left on the machine.
# Works on a half dead cluster and on none. Called by down.sh. Prints nothing on standard output.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
need_root
work_on kind
OURS=unix://$STATE/run/docker.sock

# "|| true" below means: what is to be removed may never have been there, or gone already.
in_engine() {
	use_engine && timeout 10 docker version >/dev/null 2>&1 || return 0
	docker rm --force --volumes "$KIND_NODE" >/dev/null 2>&1 || true
	docker network rm "$KIND_NETWORK" >/dev/null 2>&1 || true
	if [ "${DOCKER_HOST:-}" = "$OURS" ]; then return; fi
	for image in $(docker image ls --quiet localhost/kind-node); do docker image rm --force "$image" >/dev/null || true; done
}

control_groups() { # of the containers that our engine knows
	local container
	for container in "$STATE"/docker/containers/*; do
		find /sys/fs/cgroup -depth -type d -path "*/docker/$(basename "$container")*" 2>/dev/null || true
	done
}

our_engine() {
	local group
	kill_recorded dockerd # its containerd ends with it
	kill_recorded node-image-containerd
	kill_shims "$STATE/run/docker/containerd/containerd.sock"
	# shellcheck disable=SC2046 # names of control groups hold no spaces
	kill_groups $(control_groups)
	for group in $(control_groups) /sys/fs/cgroup/docker /sys/fs/cgroup/*/docker; do rmdir "$group" 2>/dev/null || true; done
	unmount_below "$STATE"
	[ ! -e "$STATE/run-docker-is-ours" ] || rmdir /run/docker/plugins /run/docker 2>/dev/null || true
}

network() { # the routes go with the bridge
	if ip link show "$KIND_LINK" >/dev/null 2>&1; then ip link del "$KIND_LINK"; fi
	if command -v nft >/dev/null; then nft delete table ip "$KIND_NFT_TABLE" 2>/dev/null || true; fi
}

files() {
	local address
	for address in "$STATE"/run/docker/containerd/daemon/io.containerd.runtime.v2.task/moby/*/address; do
		if [ -e "$address" ]; then rm -f "$(sed 's#^unix://##' "$address")"; fi
	done
	rm -rf --one-file-system "$STATE"
}

step "node removed" in_engine
step "engine ended" our_engine
network
step "files removed" files
say "the kind cluster is down"
