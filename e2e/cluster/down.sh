#!/usr/bin/env bash
# Takes the clusters down and removes all that they left on the machine; the cache of programs and images stays.
# Prints nothing on standard output.
#
#   down.sh           both
#   down.sh SORT...   some of: current kind local; the first is a kind cluster of the user's, which stays
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
need_root
all=$#
[ $# -gt 0 ] || set -- current kind local
failed=0
for sort; do
	[ "$(cluster_in_use)" != "$sort" ] || rm -f "$BASE/in-use"
	"$CLUSTER/$sort-down.sh" || failed=1 # it has said why; the others can go all the same
done
if [ "$all" = 0 ]; then remove_link "$CLIENT_LINK"; fi # of tests that were killed
# The other one's files may be in it.
if [ -d "$BASE" ]; then rmdir --ignore-fail-on-non-empty "$BASE"; fi
# What one could not take down, it has said itself.
if [ "$all" = 0 ] && [ "$failed" = 0 ]; then "$CLUSTER/left.sh" || failed=1; fi
exit "$failed"
