#!/usr/bin/env bash
# Takes the cluster down and removes all that it left on the machine; the cache of programs and images stays.
# Works on a half dead cluster and on none. Ends only recorded processes and the pods of this cluster's
# containerd. Prints nothing on standard output.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
need_root

# "|| true" below means one thing: what is to be removed may have gone already, or go while we look (a process
# between listing and kill, a mount, a table).
processes() {
	local i folder pid child
	for ((i = ${#PROCESSES[@]} - 1; i > 0; i--)); do kill_recorded "${PROCESSES[i]}"; done
	# Pods outlive containerd: each has a shim that names our socket; the pod's processes are its children.
	for folder in /proc/[0-9]*; do
		pid=${folder#/proc/}
		case $(tr '\0' ' ' 2>/dev/null <"$folder/cmdline" || true) in
		*containerd-shim-runc-v2*"-address $SOCKET "*)
			for child in $(cat "$folder"/task/*/children 2>/dev/null || true); do kill -9 "$child" 2>/dev/null || true; done
			kill -9 "$pid" 2>/dev/null || true
			;;
		esac
	done 2>/dev/null
	# A shim that was killed leaves its pod's processes behind: they are in our control groups.
	for folder in $(control_groups); do
		while read -r pid; do kill -9 "$pid" 2>/dev/null || true; done <"$folder/cgroup.procs"
	done
	kill_recorded containerd
}
control_groups() { find /sys/fs/cgroup -depth -type d -path "*/$CGROUP*" 2>/dev/null || true; }

mounts() { # deepest first; lazily, as a process may still look into one
	local mount
	for _ in 1 2 3; do # one place may be mounted more than once
		awk -v s="$STATE/" 'index($5, s) == 1 {print $5}' /proc/self/mountinfo | sort -r | while read -r mount; do
			umount -l "$(printf '%b' "$mount")" 2>/dev/null || true
		done
	done
}

network() {
	local link table rules chains set ours='KUBE-(ROUTER|NWPLCY|POD-FW)-'
	for link in "$POD_LINK" "$NODE_LINK"; do
		if ip link show "$link" >/dev/null 2>&1; then ip link del "$link"; fi
	done
	if command -v nft >/dev/null; then
		for table in "ip $NFT_TABLE" 'ip kube-proxy' 'ip6 kube-proxy'; do
			# shellcheck disable=SC2086 # family and name
			nft delete table $table 2>/dev/null || true
		done
	fi
	# kube-router's chains and the jumps to them, in one step: others have rules in the same table.
	rules=$(iptables-save -t filter 2>/dev/null || true)
	chains=$(grep -oP "^:\K$ours\S+" <<<"$rules" || true)
	if [ -n "$chains" ]; then
		{
			echo '*filter'
			grep -P "^-A (INPUT|FORWARD|OUTPUT) .*-j $ours" <<<"$rules" | sed 's/^-A/-D/' || true
			awk '{print "-F", $0}' <<<"$chains"
			awk '{print "-X", $0}' <<<"$chains"
			echo COMMIT
		} | iptables-restore --wait --noflush
	fi
	for set in $(ipset list -n 2>/dev/null | grep -E '^(KUBE-(SRC|DST)|TMP)-[A-Z2-7]{16}$' || true); do ipset destroy "$set"; done
}

files() {
	local group address sandbox
	# Three things have their place outside: the sockets of the shims, links to logs, and what CNI remembers.
	for address in "$STATE"/run/containerd/io.containerd.runtime.v2.task/k8s.io/*/address; do
		if [ -e "$address" ]; then rm -f "$(sed 's#^unix://##' "$address")"; fi
	done
	find /var/log/containers -lname "$STATE/*" -delete 2>/dev/null || true
	rm -f /var/lib/cni/results/preg-e2e-*
	for sandbox in "$STATE"/containerd/io.containerd.grpc.v1.cri/sandboxes/*; do
		rm -f "/var/lib/cni/results/cni-loopback-$(basename "$sandbox")-lo"
	done
	for group in $(control_groups); do rmdir "$group" 2>/dev/null || true; done
	rm -rf --one-file-system "$STATE"
}

step "processes ended" processes
mounts
network
step "files removed" files
say "cluster is down"
