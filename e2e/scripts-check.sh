#!/usr/bin/env bash
# Runs shellcheck on every shell script of the tree: files called *.sh, and those whose first line names a shell. And
# whoever mutes an error says why, in a comment on that line or on the one above.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
e2e/apt-tool.sh shellcheck=shellcheck
scripts=()
while read -r file; do
	case $file in
	*.sh) ;;
	*)
		[ -f "$file" ] || continue
		# bash warns of the null bytes in files that are no text.
		{ IFS= read -r -n 64 first <"$file" && [[ $first == '#!'*sh ]]; } 2>/dev/null || continue
		;;
	esac
	[ ! -f "$file" ] || scripts+=("$file")
done < <(git ls-files -co --exclude-standard)
shellcheck --external-sources --source-path=SCRIPTDIR --severity=warning "${scripts[@]}"
awk '
	FNR == 1 {above = ""}
	/\|\| (true|:)($|[^a-z])|2>\/dev\/null|>\/dev\/null 2>&1|&>\/dev\/null|set \+e|=-\// && !/[ \t]# / && above !~ /^[ \t]*# / && !/^[ \t]*#/ {
		print FILENAME ":" FNR ": an error is muted, and no comment says why: " $0
		bad = 1
	}
	{above = $0}
	END {exit bad}
' "${scripts[@]}" e2e/cluster/kind/*.service Makefile >&2
echo "${#scripts[@]} scripts" >&2
