#!/usr/bin/env bash
# Builds the project's static programs and packs them and what the suite needs beside them as images.
# Prints the path of each archive, one a line.
#
#   images.sh            all of them
#   images.sh IMAGE...   some of: operator registry-server redis hello
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
need gcc=gcc jq=jq
ROOT=$(cd "$CLUSTER/../.." && pwd)
TARGET=x86_64-unknown-linux-gnu
USER_ID=65532:65532
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT

cargo_build() {
	(cd "$ROOT" && RUSTFLAGS='-C target-feature=+crt-static' cargo build --release --locked --target "$TARGET" \
		-p operator -p registry-server >&2)
}

pack_program() { # PROGRAM IMAGE
	mkdir -p "$root/$1"
	cp "${CARGO_TARGET_DIR:-$ROOT/target}/$TARGET/release/$1" "$root/$1/$1"
	"$CLUSTER/image.sh" "localhost/$2:dev" "$IMAGES/$2.tar" "$USER_ID" "$root/$1" "/$1"
}

build_hello() {
	mkdir -p "$root/hello"
	(cd "$CLUSTER/hello" && CGO_ENABLED=0 GOWORK=off go build -trimpath -buildvcs=false -ldflags '-s -w' -o "$root/hello/hello" .)
	"$CLUSTER/image.sh" localhost/hello:dev "$IMAGES/hello.tar" "$USER_ID" "$root/hello" /hello
}

build_redis() { # Debian's server and client with the libraries they load; no shell
	local folder=$root/redis
	# One program, which goes by its name: the package of the tools has it, and brings no service.
	need /usr/bin/redis-check-rdb=redis-tools
	mkdir -p "$folder/data" "$folder/tmp"
	copy_program "$folder" /usr/bin/redis-check-rdb /usr/bin/redis-cli
	mv "$folder/usr/bin/redis-check-rdb" "$folder/usr/bin/redis-server"
	"$CLUSTER/image.sh" localhost/redis:7 "$IMAGES/redis.tar" "$USER_ID" "$folder" /usr/bin/redis-server
}

mkdir -p "$IMAGES"
[ $# -gt 0 ] || set -- operator registry-server redis hello
case " $* " in *" operator "* | *" registry-server "*) step "static programs" cargo_build ;; esac
for image; do
	case $image in
	operator) step "image operator" pack_program operator private-registry-operator && echo "$IMAGES/private-registry-operator.tar" ;;
	registry-server) step "image registry-server" pack_program registry-server registry-server && echo "$IMAGES/registry-server.tar" ;;
	redis | hello) step "image $image" "build_$image" && echo "$IMAGES/$image.tar" ;;
	*) die "no image $image" ;;
	esac
done
