#!/usr/bin/env bash
# Takes the local control plane down and removes all that it left on the machine. Called by down.sh.
# Works on a half dead cluster and on none. Ends only recorded processes and the pods of this cluster's
# containerd. Prints nothing on standard output.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
need_root

# "|| true" below means one thing: what is to be removed may have gone already, or go while we look (a process
# between listing and kill, a mount, a table).
processes() {
	local i
	for ((i = ${#PROCESSES[@]} - 1; i > 0; i--)); do kill_recorded "${PROCESSES[i]}"; done
	kill_shims "$SOCKET"
	# shellcheck disable=SC2046 # names of control groups hold no spaces
	kill_groups $(control_groups)
	kill_recorded containerd
}
control_groups() { find /sys/fs/cgroup -depth -type d -path "*/$CGROUP*" 2>/dev/null || true; }

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
	# The folders of the other clusters lie in it.
	if [ -d "$STATE" ]; then find "$STATE" -mindepth 1 -maxdepth 1 ! -name kind ! -name current ! -name in-use -exec rm -rf --one-file-system {} +; fi
}

step "processes ended" processes
unmount_below "$STATE" "$STATE/kind"
network
step "files removed" files
say "the local control plane is down"
