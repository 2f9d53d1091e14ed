#!/usr/bin/env bash
# Installs Debian packages unless their programs are there. No service of theirs is started.
#   apt-tool.sh PROGRAM=PACKAGE...
source "$(dirname "${BASH_SOURCE[0]}")/cluster/lib.sh"
need "$@"
