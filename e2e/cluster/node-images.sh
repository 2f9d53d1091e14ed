#!/usr/bin/env bash
# Packs the images that the nodes of our clusters run themselves, each when its program changed. Prints the path
# of each archive, one a line; an image is called localhost/NAME:node.
#
#   node-images.sh NAME...   pause, busybox, kube-proxy, or a static program of programs.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

fill() { # NAME FOLDER
	local applet
	case $1 in
	pause) gcc -static -Os -s -o "$2/pause" "$CLUSTER/pause/pause.c" ;;
	busybox)
		mkdir -p "$2/bin" "$2/tmp"
		for applet in $(/bin/busybox --list); do ln -sf busybox "$2/bin/$applet"; done
		rm -f "$2/bin/busybox" # a name of its own list, too
		cp /bin/busybox "$2/bin/busybox"
		;;
	kube-proxy) # kubeadm calls it by this path; it writes its rules by nft
		# Without names of protocols nft tells them as numbers, and kube-proxy, which compares, deletes its own rules.
		need /etc/protocols=netbase
		mkdir -p "$2/etc"
		cp /etc/protocols "$2/etc/"
		copy_program "$2" "$(command -v nft)"
		mkdir -p "$2/usr/bin" "$2/usr/local/bin"
		mv "$2$(command -v nft)" "$2/usr/bin/nft"
		cp "$BIN/kube-proxy" "$2/usr/local/bin/"
		;;
	kube-* | etcd) # kubeadm calls them by name
		mkdir -p "$2/bin"
		cp "$BIN/$1" "$2/bin/"
		;;
	*) cp "$BIN/$1" "$2/$1" ;;
	esac
}

entrypoint() { # NAME
	case $1 in
	busybox) echo /bin/sh ;;
	kube-proxy) echo /usr/local/bin/kube-proxy ;;
	kube-* | etcd) echo "/bin/$1" ;;
	*) echo "/$1" ;;
	esac
}

image() { # NAME
	local archive=$IMAGES/node-$1.tar folder input fresh=1
	for input in "$BIN/$1" "$CLUSTER/image.sh" "${BASH_SOURCE[0]}" "$CLUSTER/pause/pause.c"; do
		if [ "$input" -nt "$archive" ]; then fresh=0; fi # also when there is no archive
	done
	if [ "$fresh" = 0 ]; then
		folder=$(mktemp -d)
		fill "$1" "$folder"
		"$CLUSTER/image.sh" "localhost/$1:node" "$archive" 0:0 "$folder" "$(entrypoint "$1")"
		rm -rf "$folder"
	fi
	echo "$archive"
}

need gcc=gcc jq=jq /bin/busybox=busybox-static "/usr/lib/$(uname -m)-linux-gnu/libc.a=libc6-dev" nft=nftables
mkdir -p "$IMAGES"
for name; do image "$name"; done
