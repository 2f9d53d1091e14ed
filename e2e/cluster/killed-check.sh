#!/usr/bin/env bash
# Sees that the local control plane comes back after a kill that let nobody clean up, and goes without a trace after one:
# of the script while it brings it up, of half of its processes, of all of them. A cluster that is up is taken down first.
# Prints nothing on standard output.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
need_root

kill_now() { # NAME...: what was recorded about them stays
	local name pid
	for name; do
		if pid=$(running "$name"); then kill_all "$pid"; fi
	done
}

"$CLUSTER/down.sh"
"$CLUSTER/programs.sh"
setsid "$CLUSTER/local-up.sh" >&2 &
script=$!
# Its last process is not there yet: that one waits until workloads are.
wait_for 120 "a control plane that is half up" running kubelet
kill -9 -- "-$script"
if wait "$script"; then die "the script had ended before it was killed"; fi
say "killed the script"

"$CLUSTER/local-up.sh" >&2
kill_now etcd kubelet kube-router containerd
say "killed half of the processes"
began=$SECONDS
"$CLUSTER/local-up.sh" >&2
say "came back in $((SECONDS - began))s"

kill_now "${PROCESSES[@]}"
say "killed all processes"
"$CLUSTER/down.sh" # it looks whether something is left
