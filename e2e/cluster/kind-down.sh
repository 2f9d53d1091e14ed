#!/usr/bin/env bash
# Takes the kind cluster down, and the container engine if it is ours, with all that they left on the machine.
# Works on a half dead cluster and on none. Called by down.sh. Prints nothing on standard output.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
need_root
work_on kind
OURS=unix://$STATE/run/docker.sock

node_and_network() {
	if [ -n "$(docker ps --all --quiet --filter "name=^$KIND_NODE\$")" ]; then
		docker rm --force --volumes "$KIND_NODE" >/dev/null || return
	fi
	if [ -n "$(docker network ls --quiet --filter "name=^$KIND_NETWORK\$")" ]; then docker network rm "$KIND_NETWORK" >/dev/null; fi
}

in_engine() {
	local image
	use_engine || return 0 # none was ever used
	if ! timeout 10 docker version >/dev/null; then
		say "the container engine does not answer: its own files are removed if it is ours, and nothing if it is not"
		return
	fi
	if [ "${DOCKER_HOST:-}" = "$OURS" ]; then
		# After an unclean kill it may refuse: then what it leaves goes with the engine, below.
		node_and_network || say "our engine could not remove the node itself"
		return
	fi
	node_and_network
	for image in $(docker image ls --quiet localhost/kind-node | sort -u); do docker image rm --force "$image" >/dev/null; done
}

engine_groups() { # of the containers that our engine knows
	local container
	for container in "$STATE"/docker/containers/*; do
		[ -d "$container" ] || continue # there is none: the pattern itself would match those of every engine
		control_groups "docker/$(basename "$container")*"
	done
}

our_engine() {
	local folder
	kill_recorded dockerd # its containerd ends with it
	kill_recorded node-image-containerd
	kill_shims "$STATE/run/docker/containerd/containerd.sock"
	# shellcheck disable=SC2046 # names of control groups hold no spaces
	kill_groups $(engine_groups)
	# shellcheck disable=SC2046
	remove_groups $(engine_groups)
	if [ -d "$STATE/docker" ]; then remove_groups /sys/fs/cgroup/docker /sys/fs/cgroup/*/docker; fi
	unmount_below "$STATE"
	if [ -e "$STATE/run-docker-is-ours" ]; then
		for folder in /run/docker/plugins /run/docker; do
			if [ -d "$folder" ]; then rmdir --ignore-fail-on-non-empty "$folder"; fi
		done
	fi
}

network() { # the routes go with the bridge
	remove_link "$KIND_LINK"
	remove_table ip "$KIND_NFT_TABLE"
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
