#!/usr/bin/env bash
# Puts the image of kind's node into the container engine and prints its name: the published one that belongs to
# our version of kind where it can be pulled, else one of Debian packages and the programs of programs.sh.
# KIND_NODE_IMAGE names another one.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
need_root
work_on kind
use_engine || die "run docker-up.sh first"
there() { docker image inspect "$1" >/dev/null 2>&1; } # that it is not there is one of its two answers
if [ -n "${KIND_NODE_IMAGE:-}" ]; then
	echo "$KIND_NODE_IMAGE"
	exit
fi

K8S_VERSION=$(awk '$1 == "k8s.io/kubernetes" {print $2; exit}' "$CLUSTER/tools/k8s/go.mod")
CODENAME=$(source /etc/os-release && echo "$VERSION_CODENAME")
KUBERNETES=(etcd kube-apiserver kube-controller-manager kube-scheduler kube-proxy)
OTHERS=(pause busybox coredns local-path-provisioner)
# Anything that goes into the image is in its name.
inputs=$(
	cd "$CLUSTER"
	{ echo "$K8S_VERSION $CODENAME $KIND_NODE_POD_CIDR $KIND_SERVICE_CIDR"
		cat kind-image.sh node-images.sh image.sh pause/pause.c manifests/{local-path,kube-router}.yaml
		cat kind/{cni.conflist,containerd.toml,entrypoint} kind/*.service kind/*.path
		cat tools/{k8s,etcd,coredns,local-path,netpol}/go.mod; } | sha256sum | cut -c1-10
)
ours=localhost/kind-node:$K8S_VERSION-$inputs
archive=$IMAGES/kind-node-$inputs.tar
build=$STATE/build root=$STATE/build/root

published() { # prints the image that this version of kind would use, once it has been pulled
	local folder image
	folder=$(cd "$CLUSTER/tools/kind" && GOWORK=off go list -m -f '{{.Dir}}' sigs.k8s.io/kind)
	image=$(grep -oP '^const Image = "\K[^"]+' "$folder/pkg/apis/config/defaults/image.go")
	if ! there "$image"; then
		# Asking for the manifest first tells soon whether the registry can be reached. Many machines cannot, and the
		# caller says what happens then.
		timeout 15 docker manifest inspect "$image" >/dev/null 2>&1 || return 1
		docker pull "$image" >&2 || return 1
	fi
	echo "$image"
}

debian() {
	local sources=() file
	for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources; do
		if [ -s "$file" ]; then sources+=("$file"); fi
	done
	mmdebstrap --quiet --variant=minbase --dpkgopt='path-exclude=/usr/share/doc/*' \
		--dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
		--include=systemd,containerd,runc,containernetworking-plugins,iptables,ipset,conntrack,iproute2,procps,mount,ca-certificates \
		"$CODENAME" "$root" "${sources[@]}" >&2
	rm -rf "$root"/var/cache/apt/* "$root"/var/lib/apt/lists/*
}

fill() { # a text of the tree: FILE PLACE
	sed -e "s#\${NODE_POD_CIDR}#$KIND_NODE_POD_CIDR#" -e "s#\${SERVICE_CIDR}#$KIND_SERVICE_CIDR#" \
		-e "s#\${VOLUMES}#/var/lib/local-path#" "$CLUSTER/$1" >"$root/$2"
}

node_programs() {
	local unit
	install -m 755 "$BIN"/{kubelet,kubeadm,kubectl,kube-router} "$root/usr/bin/"
	install -m 755 "$CLUSTER/kind/entrypoint" "$root/usr/local/bin/entrypoint"
	mkdir -p "$root"/{kind/manifests,etc/containerd/certs.d,etc/cni/net.d,etc/kubernetes/manifests,opt/cni}
	ln -s /usr/lib/cni "$root/opt/cni/bin"
	ln -sf /lib/systemd/systemd "$root/sbin/init"
	echo "$K8S_VERSION" >"$root/kind/version"
	fill kind/containerd.toml etc/containerd/config.toml
	fill kind/cni.conflist etc/cni/net.d/10-preg.conflist
	# kind applies both; the first is expected to bring the network, which is there from the start.
	fill manifests/kube-router.yaml kind/manifests/default-cni.yaml
	fill manifests/local-path.yaml kind/manifests/default-storage.yaml
	for unit in kubelet.service kube-router.service kube-router.path; do fill "kind/$unit" "etc/systemd/system/$unit"; done
	chroot "$root" systemctl --quiet set-default multi-user.target
	chroot "$root" systemctl --quiet enable containerd.service kubelet.service kube-router.path
	# What looks after a machine, and a console.
	chroot "$root" systemctl --quiet mask systemd-tmpfiles-setup.service systemd-binfmt.service systemd-logind.service \
		getty.target remote-fs.target apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer fstrim.timer \
		systemd-initctl.socket systemd-udev-trigger.service dev-hugepages.mount sys-kernel-debug.mount sys-kernel-tracing.mount
	mkdir -p "$root/etc/systemd/journald.conf.d"
	printf '[Journal]\nReadKMsg=no\n' >"$root/etc/systemd/journald.conf.d/node.conf"
}

node_ctr() { ctr --address "$build/c.sock" --namespace k8s.io "$@"; }
node_images() { # unpacked by a containerd whose folder is the node's
	local archive archives name names local_name
	archives=$("$CLUSTER/node-images.sh" "${KUBERNETES[@]}" "${OTHERS[@]}")
	cat >"$build/containerd.toml" <<-TOML
		version = 2
		root = "$root/var/lib/containerd"
		state = "$build/state"
		disabled_plugins = ["io.containerd.grpc.v1.cri"]
		[grpc]
		  address = "$build/c.sock"
	TOML
	start node-image-containerd containerd --config "$build/containerd.toml"
	wait_for 20 "containerd of the node image" node_ctr version
	for archive in $archives; do node_ctr images import --all-platforms "$archive" >/dev/null; done
	# kubeadm asks for them by their published names.
	names=$("$BIN/kubeadm" config images list --kubernetes-version "$K8S_VERSION") # on a line of its own: a failure ends this
	for name in $names; do
		local_name=$(basename "${name%:*}")
		node_ctr images tag "localhost/$local_name:node" "$name" >/dev/null
	done
	kill_recorded node-image-containerd
}

make_ours() {
	need mmdebstrap=mmdebstrap containerd=containerd
	"$CLUSTER/programs.sh"
	kill_recorded node-image-containerd # of a run that was killed
	rm -rf --one-file-system "$build"
	mkdir -p "$build"
	step "  Debian" debian
	step "  node's programs" node_programs
	step "  images in it" node_images
	rm -f "$IMAGES"/kind-node-*.tar*
	step "  archive" tar --numeric-owner -C "$root" -cf "$archive.part" .
	mv "$archive.part" "$archive"
	rm -rf --one-file-system "$build"
}

if there "$ours"; then
	image=$ours
elif [ ! -e "$archive" ] && image=$(published); then
	say "node image: the published one, $image"
else
	[ -e "$archive" ] || say "node image: the published one cannot be pulled here, so we make our own"
	[ -e "$archive" ] || step "node image made" make_ours
	image=$ours
	step "node image imported" docker import --change 'ENTRYPOINT ["/usr/local/bin/entrypoint", "/sbin/init"]' \
		--change 'ENV container=docker' "$archive" "$image" >&2
fi
echo "$image"
