#!/usr/bin/env bash
# How long crane takes to push and to pull one layer over TLS, by HTTP/1.1 and by HTTP/2 in turn, on this machine's loopback.
#   protocols.sh SERVER [MIB] [ROUNDS]
# Prints medians and extremes in seconds as rows of a table, and the processor time of the server.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/env.sh"
"$E2E/apt-tool.sh" openssl=openssl curl=curl
server=$(readlink -f "$1") mib=${2:-2048} rounds=${3:-5} port=${PORT:-5443}

work=$(mktemp -d)
pid=
trap '[ -z "$pid" ] || { kill "$pid"; wait "$pid"; }; rm -rf "$work"' EXIT
cd "$work"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout key -out crt -days 2 -subj /CN=localhost \
	-addext subjectAltName=DNS:localhost -addext basicConstraints=critical,CA:FALSE 2>openssl.log || { cat openssl.log >&2; exit 1; }
cat >c.yml <<YAML
http: {addr: "127.0.0.1:$port", tls: {certificate: crt, key: key}}
log: {accesslog: {disabled: true}}
storage: {filesystem: {rootdirectory: $work/store}}
YAML
"$server" serve c.yml >log 2>&1 &
pid=$!
curl --retry 20 --retry-connrefused --retry-delay 1 -sf --cacert crt "https://localhost:$port/v2/" >/dev/null

blob() { # blob FILE: moves it into the layout, prints its descriptor's digest and size
	local digest
	digest=$(sha256sum "$1" | cut -d' ' -f1)
	printf '"digest":"sha256:%s","size":%d' "$digest" "$(stat -c %s "$1")"
	mv "$1" "layout/blobs/sha256/$digest"
}
mkdir -p layout/blobs/sha256
head -c "$((mib << 20))" /dev/urandom >layer
layer=$(blob layer)
digest=$(grep -o 'sha256:[0-9a-f]*' <<<"$layer")
printf '{"architecture":"amd64","os":"linux","config":{},"rootfs":{"type":"layers","diff_ids":["%s"]}}' "$digest" >config
kind=application/vnd.oci.image
printf '{"schemaVersion":2,"mediaType":"%s.manifest.v1+json","config":{"mediaType":"%s.config.v1+json",%s},"layers":[{"mediaType":"%s.layer.v1.tar",%s}]}' \
	"$kind" "$kind" "$(blob config)" "$kind" "$layer" >manifest
printf '{"schemaVersion":2,"manifests":[{"mediaType":"%s.manifest.v1+json",%s}]}' "$kind" "$(blob manifest)" >layout/index.json
printf '{"imageLayoutVersion":"1.0.0"}' >layout/oci-layout

spent() { awk '{print $14 + $15}' "/proc/$pid/stat"; }
timed() { # timed NAME COMMAND...: a line with its seconds, and those of the server's processors
	local name=$1 before began
	shift
	before=$(spent) began=$(date +%s%N)
	"$@" >/dev/null 2>err || { cat err >&2; exit 1; }
	awk -v name="$name" -v ns="$(($(date +%s%N) - began))" -v ticks="$(($(spent) - before))" -v hz="$(getconf CLK_TCK)" \
		'BEGIN {printf "%s %.2f %.2f\n", name, ns / 1e9, ticks / hz}' >>seconds
}
export SSL_CERT_FILE=$work/crt
for round in $(seq "$rounds"); do
	printf 'round %d of %d\n' "$round" "$rounds" >&2
	for second in 0 1; do
		export GODEBUG=http2client=$second
		name=localhost:$port/round$round
		timed "push $second" crane push layout "$name:t"
		timed "pull $second" crane blob "$name@$digest"
		# The next one sends it again.
		rm -rf store/docker/registry/v2/repositories "store/docker/registry/v2/blobs/sha256/${digest:7:2}"
	done
done
printf '| %d MiB | HTTP/1.1 | HTTP/2 |\n|---|---|---|\n' "$mib"
row() { # row KIND: median, least and most seconds, and the median of the server's, of both protocols
	printf '| %s |' "$1"
	for second in 0 1; do
		awk -v kind="$1" -v second="$second" '$1 == kind && $2 == second {print $3, $4}' seconds | sort -n |
			awk '{wall[NR] = $1; busy[NR] = $2} END {m = int((NR + 1) / 2); printf " %.2f s (%.2f to %.2f), server %.2f s |", wall[m], wall[1], wall[NR], busy[m]}'
	done
	echo
}
row push
row pull
