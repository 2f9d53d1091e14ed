#!/usr/bin/env bash
# Runs every client against the server, direct and behind nginx; needs no cluster. Arguments go to the test program. Without
# any, the end says how many of the clients have gone every way, and fails if one has not that had no reason to stay away, or has
# not done there what docs/reference/clients.md says.
#
# With root, all of them are installed and required, and the registry has an address that is not on loopback, where some
# clients ask for less. Docker needs an engine: the one at hand, else Debian's, which ends with the tests.
source "$(dirname "${BASH_SOURCE[0]}")/env.sh"
tests=(--test-threads=2)
ALL=(buildah containerd cosign crane crictl docker helm oras podman regctl skopeo)
declare -A reasons=() # of those that may stay away
CLIENTS_DONE=$(mktemp)
export CLIENTS_DONE
trap clean_up EXIT

engine() {
	local host
	[ -e "$BASE/kind/docker-host" ] || ENDS=kind
	if host=$("$CLUSTER/docker-up.sh"); then
		if [ -n "$host" ]; then export DOCKER_HOST=$host; fi
	else
		[ $? = "$NO_ENGINE" ] || exit 1
		[ -n "${ENDS:-}" ] || die "the container engine that ran the cluster does not answer any more"
		reasons[docker]="no container engine can run on this machine"
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
	rm -f "$CLIENTS_DONE"
	[ "$(id -u)" = 0 ] || return 0
	remove_link "$CLIENT_LINK"
	[ -z "${ENDS:-}" ] || "$CLUSTER/down.sh" "$ENDS"
}

# What the page says that a client does: the columns of its line that are no dash, in the order of the alphabet.
told() {
	awk -F' *[|] *' -v client="$1" 'split($2, name, "[ ,]") && name[1] == client {
		print client ($6 == "—" ? "" : " copy") ($7 == "—" ? "" : " delete") ($5 == "—" ? "" : " list") " pull" \
			($4 ~ /^pull only/ ? "" : " push")
	}' "$ROOT/docs/reference/clients.md"
}

# The tests write down each client that has gone every way, and what it has done.
count() {
	local client did left=0 without=0 other=0
	for client in "${ALL[@]}"; do
		if did=$(grep -E "^$client( |\$)" "$CLIENTS_DONE"); then
			if [ "$did" = "$(told "$client")" ]; then continue; fi
			say "docs/reference/clients.md says \"$(told "$client")\", and the tests did \"$did\""
			other=1
			continue
		fi
		left=$((left + 1))
		say "LEFT OUT $client: ${reasons[$client]:-for no reason}"
		[ -n "${reasons[$client]:-}" ] || without=1
	done
	say "$((${#ALL[@]} - left)) of ${#ALL[@]} clients"
	if cut -d' ' -f1 "$CLIENTS_DONE" | grep -vxF "$(printf '%s\n' "${ALL[@]}")"; then die "a client that ${BASH_SOURCE[0]} does not know"; fi
	[ "$without" = 0 ] || die "a client that is expected was left out"
	[ "$other" = 0 ] || die "a client did other things than its page says"
}

"$CLUSTER/programs.sh" clients cosign crictl helm
if [ "$(id -u)" = 0 ]; then
	need skopeo=skopeo podman=podman buildah=buildah ctr=containerd nginx=nginx-light curl=curl ip=iproute2
	engine
	own_address
	export CLIENTS_REQUIRED=1 NGINX_REQUIRED=1
else
	for client in "${ALL[@]}"; do reasons[$client]="without root nothing is installed, and only what is there is tried"; done
fi
cd "$ROOT"
cargo build --locked -p registry-server
export REGISTRY_SERVER=$ROOT/target/debug/registry-server RUST_BACKTRACE=0
cargo test --locked --workspace --test clients -- "${tests[@]}" "$@"
[ $# -gt 0 ] || count
