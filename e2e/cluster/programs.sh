#!/usr/bin/env bash
# Builds the Go programs pinned in tools/GROUP/go.mod into $CACHE/bin: only groups whose module files,
# sources, flags or Go version changed. Prints nothing on standard output.
#
#   programs.sh [GROUP...]   k8s etcd coredns local-path netpol clients cosign crictl helm conformance kind; default: the first five
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
export CGO_ENABLED=0 GOFLAGS="-buildvcs=false -mod=readonly" GOTOOLCHAIN=local GOWORK=off

pinned() { awk -v m="$2" '$1 == m {print $2; exit} $2 == m {print $3; exit}' "$CLUSTER/tools/$1/go.mod"; }
inputs() { { go version; echo "$*"; cat go.mod go.sum; find . -name '*.go' -exec cat {} +; } | sha256sum; }

build() { # GROUP LINKER-FLAGS PROGRAM=PACKAGE...
	local group=$1 flags="-s -w$2" pair new made want stamp=$BIN/.$1 began=$SECONDS
	shift 2
	cd "$CLUSTER/tools/$group"
	want=$(inputs "$flags" "$@")
	for pair; do [ -x "$BIN/${pair%%=*}" ] || rm -f "$stamp"; done
	if [ -e "$stamp" ] && [ "$(cat "$stamp")" = "$want" ]; then return; fi
	say "building $group"
	new=$(mktemp -d "$BIN/.new-XXXXXX")
	go build -trimpath -ldflags "$flags" -o "$new/" "${@#*=}" >&2 || {
		rm -rf "$new"
		die "$group does not build"
	}
	for pair; do
		# Go names a program after the last part of its package that is no version.
		made=$(basename "$(sed -E 's#/v[0-9]+$##' <<<"${pair#*=}")")
		[ "$made" != . ] || made=$group
		mv -f "$new/$made" "$BIN/${pair%%=*}"
	done
	rm -rf "$new"
	echo "$want" >"$stamp"
	say "built $group: $((SECONDS - began))s"
}

k8s_flags() { # what the programs say their version is
	local version=$1 minor package
	minor=$(cut -d. -f2 <<<"$version")
	for package in k8s.io/component-base/version k8s.io/client-go/pkg/version; do
		printf -- ' -X %s.%s' "$package" "gitVersion=$version" "$package" gitMajor=1 "$package" "gitMinor=$minor" \
			"$package" gitTreeState=clean "$package" buildDate=1970-01-01T00:00:00Z
	done
}

mkdir -p "$BIN"
[ $# -gt 0 ] || set -- k8s etcd coredns local-path netpol
for group; do
	case $group in
	k8s)
		kubernetes=()
		for program in kube-apiserver kube-controller-manager kube-scheduler kube-proxy kubelet kubeadm kubectl; do
			kubernetes+=("$program=k8s.io/kubernetes/cmd/$program")
		done
		build k8s "$(k8s_flags "$(pinned k8s k8s.io/kubernetes)")" "${kubernetes[@]}"
		;;
	etcd) build etcd "" etcd=go.etcd.io/etcd/server/v3 ;;
	coredns) build coredns "" coredns=. ;;
	local-path) build local-path "" local-path-provisioner=github.com/rancher/local-path-provisioner ;;
	netpol)
		router=github.com/cloudnativelabs/kube-router/v2
		build netpol " -X $router/pkg/version.Version=$(pinned netpol $router | tr -d v)" kube-router=$router/cmd/kube-router
		;;
	clients)
		build clients "" crane=github.com/google/go-containerregistry/cmd/crane oras=oras.land/oras/cmd/oras \
			regctl=github.com/regclient/regclient/cmd/regctl
		;;
	cosign) build cosign "" cosign=github.com/sigstore/cosign/v3/cmd/cosign ;;
	crictl)
		tools=sigs.k8s.io/cri-tools
		build crictl " -X $tools/pkg/version.Version=$(pinned crictl $tools)" crictl=$tools/cmd/crictl
		;;
	helm) build helm "" helm=helm.sh/helm/v3/cmd/helm ;;
	kind) build kind "" kind=sigs.k8s.io/kind ;;
	conformance) build conformance "" oci-conformance=github.com/opencontainers/distribution-spec/conformance ;;
	*) die "no group $group" ;;
	esac
done
