#!/usr/bin/env bash
# Runs every client against the server, direct and behind nginx; needs no cluster. Arguments go to the test program.
#
# With root, all of them are installed and required, and the registry has an address that is not on loopback, where some
# clients ask for less. Docker needs an engine: the one at hand, else Debian's, which ends with the tests.
source "$(dirname "${BASH_SOURCE[0]}")/env.sh"
tests=(--test-threads=2)

engine() {
	local host
	[ -e "$BASE/kind/docker-host" ] || ENDS=kind
	if host=$("$CLUSTER/docker-up.sh"); then
		if [ -n "$host" ]; then export DOCKER_HOST=$host; fi
	else
		[ $? = "$NO_ENGINE" ] || exit 1
		say "SKIPPED docker: no container engine can run on this machine"
		tests+=(--skip docker::)
	fi
}

own_address() {
	[ -e "/sys/class/net/$CLIENT_LINK" ] || ip link add "$CLIENT_LINK" type bridge
	ip addr replace "$CLIENT_IP/32" dev "$CLIENT_LINK"
	ip link set "$CLIENT_LINK" up
	export CLIENTS_HOST=$CLIENT_IP
}

clean_up() {
	remove_link "$CLIENT_LINK"
	[ -z "${ENDS:-}" ] || "$CLUSTER/down.sh" "$ENDS"
}

"$CLUSTER/programs.sh" clients cosign crictl helm
if [ "$(id -u)" = 0 ]; then
	need skopeo=skopeo podman=podman buildah=buildah ctr=containerd nginx=nginx-light curl=curl ip=iproute2
	trap clean_up EXIT
	engine
	own_address
	export CLIENTS_REQUIRED=1 NGINX_REQUIRED=1
fi
cd "$ROOT"
cargo build --locked -p registry-server
export REGISTRY_SERVER=$ROOT/target/debug/registry-server RUST_BACKTRACE=0
cargo test --locked -p e2e --test clients -- "${tests[@]}" "$@"
