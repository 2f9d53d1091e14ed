#!/usr/bin/env bash
# The documentation is tested: links lead somewhere, make targets exist, and every block fenced as
# ```sh run is run, in order, one shell per page, from the root of the tree; those fenced as ```sh apart in an empty folder.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/env.sh"
cd "$ROOT"
passed=0 failed=0
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
found() { grep "$@" || [ $? = 1 ]; } # nothing found is no error; a bad pattern is
verdict() { # 0|1 TEXT
	if [ "$1" = 0 ]; then passed=$((passed + 1)); else failed=$((failed + 1)) && echo "FAILED: $2" >&2; fi
}

mapfile -t pages < <(git ls-files -co --exclude-standard '*.md')
for page in "${pages[@]}"; do
	while read -r link; do
		target=${link%%#*}
		[ -z "$target" ] || { [ -e "$(dirname "$page")/$target" ] && verdict 0 || verdict 1 "$page links to $link, which is not there"; }
	done < <(found -oP '\]\(\K[^)]+(?=\))' "$page" | found -vE '^(https?|mailto):')
	while read -r target; do
		grep -qE "^$target:" Makefile && verdict 0 || verdict 1 "$page names 'make $target', which is no target"
	done < <(found -oP '`make \K[a-z0-9-]+' "$page" | sort -u)
	for kind in run apart; do
		grep -q "^\`\`\`sh $kind\$" "$page" || continue
		echo "--> running the commands of $page" >&2
		awk -v begin="\`\`\`sh $kind" '$0 == begin {on = 1; next} /^```/ {on = 0} on' "$page" >"$folder/commands"
		place=$ROOT
		if [ $kind = apart ]; then place=$(mktemp -d -p "$folder"); fi
		if (cd "$place" && bash -euo pipefail "$folder/commands" >&2); then verdict 0; else verdict 1 "a command of $page"; fi
	done
done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
