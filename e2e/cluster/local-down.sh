#!/usr/bin/env bash
# Takes the local control plane down and removes all that it left on the machine. Called by down.sh.
# Works on a half dead cluster and on none. Ends only recorded processes and the pods of this cluster's
# containerd. Prints nothing on standard output.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
need_root

processes() {
	local i
	for ((i = ${#PROCESSES[@]} - 1; i > 0; i--)); do kill_recorded "${PROCESSES[i]}"; done
	kill_shims "$SOCKET"
	# shellcheck disable=SC2046 # names of control groups hold no spaces
	kill_groups $(control_groups "$CGROUP*")
	kill_recorded containerd
}

network() {
	local rules='' chains sets='' set ours='KUBE-(ROUTER|NWPLCY|POD-FW)-'
	remove_link "$POD_LINK"
	remove_link "$NODE_LINK"
	remove_table ip "$NFT_TABLE"
	remove_table ip kube-proxy
	remove_table ip6 kube-proxy
	# kube-router's chains and the jumps to them, in one step: others have rules in the same table.
	if command -v iptables-save >/dev/null; then
		rules=$(iptables-save -t filter) || say "iptables does not work here, so it holds no chain of ours"
	fi
	chains=$(sed -nE "s/^:(${ours}[^ ]+).*/\1/p" <<<"$rules")
	if [ -n "$chains" ]; then
		{
			echo '*filter'
			sed -nE "/^-A (INPUT|FORWARD|OUTPUT) .*-j $ours/s/^-A/-D/p" <<<"$rules"
			awk '{print "-F", $0}' <<<"$chains"
			awk '{print "-X", $0}' <<<"$chains"
			echo COMMIT
		} | iptables-restore --wait --noflush
	fi
	if command -v ipset >/dev/null; then
		sets=$(ipset list -n) || say "ipset does not work here, so it holds no set of ours"
	fi
	sets=$(sed -nE '/^(KUBE-(SRC|DST)|TMP)-[A-Z2-7]{16}$/p' <<<"$sets")
	for set in $sets; do ipset destroy "$set"; done
}

files() {
	local address sandbox
	# Three things have their place outside: the sockets of the shims, links to logs, and what CNI remembers.
	for address in "$STATE"/run/containerd/io.containerd.runtime.v2.task/k8s.io/*/address; do
		if [ -e "$address" ]; then rm -f "$(sed 's#^unix://##' "$address")"; fi
	done
	if [ -d /var/log/containers ]; then find /var/log/containers -lname "$STATE/*" -delete; fi
	rm -f /var/lib/cni/results/preg-e2e-*
	for sandbox in "$STATE"/containerd/io.containerd.grpc.v1.cri/sandboxes/*; do
		rm -f "/var/lib/cni/results/cni-loopback-$(basename "$sandbox")-lo"
	done
	# shellcheck disable=SC2046 # names of control groups hold no spaces
	remove_groups $(control_groups "$CGROUP*")
	# The folders of the other clusters lie in it.
	if [ -d "$STATE" ]; then find "$STATE" -mindepth 1 -maxdepth 1 ! -name kind ! -name current ! -name in-use -exec rm -rf --one-file-system {} +; fi
}

step "processes ended" processes
unmount_below "$STATE" "$STATE/kind"
network
step "files removed" files
say "the local control plane is down"
