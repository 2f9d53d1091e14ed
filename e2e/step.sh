#!/usr/bin/env bash
# Runs one step of the Makefile, saying what it is and how long it took.
#   step.sh TITLE COMMAND...
set -euo pipefail
title=$1 began=$SECONDS
shift
printf '==> %s\n' "$title" >&2
if "$@"; then
	printf '==> %s: done in %ss\n' "$title" $((SECONDS - began)) >&2
else
	status=$?
	printf '==> %s: FAILED after %ss (exit %s)\n' "$title" $((SECONDS - began)) "$status" >&2
	exit "$status"
fi
