#!/usr/bin/env bash
# Says what clusters of ours have left on this machine, and fails if there is anything. Called by down.sh when all are
# down. Prints nothing on standard output.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
need_root
LEFT=0
left() { # WHAT, one in each line of standard input
	local line
	while read -r line; do
		say "left behind: $1 $line"
		LEFT=1
	done
}

processes() { # that were started from our folder, or with a file in it
	local folder line
	for folder in /proc/[0-9]*; do
		# One that went while we look is not left.
		line=$({ tr '\0' ' ' <"$folder/cmdline"; } 2>&1) || continue
		case $line in *"$BASE/"*) echo "${folder#/proc/}: $line" ;; esac
	done
}
mounts() { awk -v at="$BASE/" 'index($5, at) == 1 {print $5}' /proc/self/mountinfo; }
links() { find /sys/class/net \( -name "$POD_LINK" -o -name "$NODE_LINK" -o -name "$KIND_LINK" -o -name "$CLIENT_LINK" \) -printf '%f\n'; }
groups() { control_groups "$CGROUP*"; }
files() { if [ -e "$BASE" ]; then find "$BASE" -maxdepth 2; fi; }

tables() {
	command -v nft >/dev/null || return 0 # no cluster of ours was ever here
	# Where it does not work, down.sh has said so.
	nft list tables | sed -nE "s/^table (ip6?) ($NFT_TABLE|$KIND_NFT_TABLE|kube-proxy)\$/\1 \2/p"
}

chains() {
	command -v iptables-save >/dev/null || return 0
	iptables-save -t filter | sed -nE 's/^:(KUBE-(ROUTER|NWPLCY|POD-FW)-[^ ]+).*/\1/p'
}

sets() {
	command -v ipset >/dev/null || return 0
	ipset list -n | sed -nE '/^(KUBE-(SRC|DST)|TMP)-[A-Z2-7]{16}$/p'
}

left process < <(processes)
left mount < <(mounts)
left "network link" < <(links)
left "control group" < <(groups)
left "nftables table" < <(tables)
left "iptables chain" < <(chains)
left "ipset" < <(sets)
left file < <(files)
exit "$LEFT"
