#!/usr/bin/env bash
# The files that are printed from the Rust types: crds/ and the chart's copy of it.
#   generated.sh check    fails, with the difference, when a file is stale
#   generated.sh write    writes them again
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
crd=crds/privateregistries.privateregistry.dev.yaml
copy=charts/private-registry-operator/crds-src/privateregistries.privateregistry.dev.yaml
printed=$(mktemp)
trap 'rm -f "$printed"' EXIT
cargo run --quiet --locked -p operator -- crd >"$printed"
case ${1:-check} in
write)
	mkdir -p "$(dirname "$copy")"
	cp "$printed" "$crd"
	cp "$printed" "$copy"
	;;
check)
	for file in "$crd" "$copy"; do
		diff -u "$file" "$printed" || { echo "$file is stale: run 'make generate'" >&2; exit 1; }
	done
	;;
esac
