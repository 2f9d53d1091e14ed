#!/usr/bin/env bash
# Builds the Dockerfile's two images in the container engine (the machine's, else our own) from the static programs,
# and runs each once. Where no engine can run this is said, and nothing fails. Prints their names, one a line.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
ROOT=$(cd "$CLUSTER/../.." && pwd)
VERSION=$(awk -F'"' '$1 == "version = " {print $2; exit}' "$ROOT/Cargo.toml")
"$CLUSTER/images.sh" operator registry-server >/dev/null
host=$("$CLUSTER/docker-up.sh") || {
	[ $? = "$NO_ENGINE" ] || exit 1
	say "SKIPPED the Dockerfile: no container engine can run on this machine"
	exit 0
}
[ -z "$host" ] || export DOCKER_HOST=$host

build() { # TARGET IMAGE
	local said
	docker build --quiet --target "$1" -t "$2:$VERSION" "$ROOT" >&2
	said=$(docker run --rm --network none --read-only --cap-drop ALL "$2:$VERSION" --version)
	[ "$said" = "$1 $VERSION" ] || die "$2:$VERSION says that it is $said"
	echo "$2:$VERSION"
}
step "operator" build operator private-registry-operator
step "registry-server" build registry-server registry-server
