#!/usr/bin/env bash
# The files that are printed from the Rust types: crds/, the chart's copy of it, and the reference of the API.
#   generated.sh check    fails, with the difference, when a file is stale
#   generated.sh write    writes them again
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
crd=privateregistries.privateregistry.dev.yaml
printed=$(mktemp -d)
trap 'rm -rf "$printed"' EXIT

# FILE COMMAND: what prints it
generated() {
	cat <<TABLE
crds/$crd crd
charts/private-registry-operator/crds-src/$crd crd
docs/reference/api.md reference
TABLE
}
# The program comes with this test. Built by itself it would need its own build of everything below it: what the tests ask of
# libraries is more than it asks.
cargo test --quiet --locked --workspace --test passes --no-run
while read -r file command; do
	"${CARGO_TARGET_DIR:-target}/debug/operator" "$command" >"$printed/text"
	case ${1:-check} in
	write) mkdir -p "$(dirname "$file")" && cp "$printed/text" "$file" ;;
	check) diff -u "$file" "$printed/text" || { echo "$file is stale: run 'make generate'" >&2; exit 1; } ;;
	esac
done < <(generated)
