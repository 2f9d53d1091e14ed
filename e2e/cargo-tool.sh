#!/usr/bin/env bash
# Installs a cargo subcommand unless a version of that line is there.
#   cargo-tool.sh NAME MAJOR.MINOR
set -euo pipefail
if command -v "$1" >/dev/null && "$1" --version | grep -q " $2\."; then exit 0; fi
exec cargo install --locked --quiet "$1" --version "~$2"
