#!/usr/bin/env bash
# Runs fuzz targets of the server, from their seeds and from what earlier runs found.
#   fuzz.sh SECONDS [TARGET]...     without a target: each of them
# An input that is answered wrongly is written to target/fuzz/found/TARGET, and told of; what is mended goes to seeds/.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
seconds=$1 folder=registry-server/fuzz
shift
if [ $# = 0 ]; then mapfile -t targets < <(cargo fuzz list --fuzz-dir "$folder"); else targets=("$@"); fi

# The instrumentation is the compiler's, of any release. Address sanitizer is not: it needs a nightly, and there is no
# unsafe code here that it could look at.
export CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16
fuzz=(--fuzz-dir "$folder" --target-dir target/fuzz --sanitizer none)
cargo fuzz build "${fuzz[@]}"
for target in "${targets[@]}"; do
	corpus=target/fuzz/corpus/$target found=target/fuzz/found/$target
	mkdir -p "$corpus" "$found"
	printf '%s: ' "$target" >&2
	cargo fuzz run "${fuzz[@]}" "$target" "$corpus" "$folder/seeds/$target" -- \
		-max_total_time="$seconds" -artifact_prefix="$found/" -timeout=5 -rss_limit_mb=2048 -print_final_stats=1 \
		>"$found/log" 2>&1 || {
		tail -n 40 "$found/log" >&2
		printf 'fuzz: %s found something: see above, and the input in %s\n' "$target" "$found" >&2
		exit 1
	}
	awk '/number_of_executed_units/ {runs = $2} /peak_rss_mb/ {peak = $2} /cov:/ {for (n = 1; n < NF; n++) if ($n == "cov:") cov = $(n + 1)}
		END {printf "%d inputs, %d places reached, %d MiB at most\n", runs, cov, peak}' "$found/log" >&2
done
