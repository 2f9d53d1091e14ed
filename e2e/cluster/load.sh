#!/usr/bin/env bash
# Imports image archives into the containerd of the running cluster (namespace k8s.io). Prints nothing on
# standard output. Pods name such an image with imagePullPolicy IfNotPresent or Never.
#
#   load.sh ARCHIVE...
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
need_root
for archive; do
	step "loaded $(basename "$archive")" node_ctr images import --all-platforms "$archive" >&2
done
