#!/usr/bin/env bash
# Runs shellcheck on every shell script of the tree: files called *.sh, and those whose first line names a shell.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
e2e/apt-tool.sh shellcheck=shellcheck
scripts=()
while read -r file; do
	case $file in
	*.sh) ;;
	*) { IFS= read -r -n 64 first <"$file" && [[ $first == '#!'*sh ]]; } 2>/dev/null || continue ;;
	esac
	[ ! -f "$file" ] || scripts+=("$file")
done < <(git ls-files -co --exclude-standard)
shellcheck --external-sources --source-path=SCRIPTDIR --severity=warning "${scripts[@]}"
echo "${#scripts[@]} scripts" >&2
