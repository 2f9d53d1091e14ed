#!/usr/bin/env bash
# Stops or starts one component of the node of the cluster in use, for tests of what must survive it.
#   component.sh stop|start kube-apiserver|kubelet|kube-proxy
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
work_on "$(cluster_in_use)"
manifests=/etc/kubernetes/manifests
usage() { die "usage: component.sh stop|start kube-apiserver|kubelet|kube-proxy"; }
in_node() { docker exec "$KIND_NODE" "$@" >&2; }

api_answers() { [ "$(kubectl --kubeconfig "$STATE/kubeconfig" get --raw /readyz)" = ok ]; }
export PATH=$BIN:$PATH

case $2 in
kube-apiserver | kubelet | kube-proxy) ;;
*) usage ;;
esac
case $(cluster_in_use)-$1-$2 in
local-stop-*) kill_recorded "$2" ;;
# Bringing the cluster up starts what does not run.
local-start-*) "$CLUSTER/local-up.sh" >/dev/null ;;
kind-stop-kube-apiserver)
	use_engine
	in_node mv "$manifests/kube-apiserver.yaml" /etc/kubernetes/kube-apiserver.held
	;;
kind-start-kube-apiserver)
	use_engine
	in_node mv /etc/kubernetes/kube-apiserver.held "$manifests/kube-apiserver.yaml"
	;;
kind-stop-kubelet | kind-start-kubelet)
	use_engine
	in_node systemctl "$1" kubelet
	;;
# There it is a pod, and comes again by itself.
kind-stop-kube-proxy) cluster_kubectl -n kube-system delete pod -l k8s-app=kube-proxy --wait >&2 ;;
kind-start-kube-proxy) cluster_kubectl -n kube-system rollout status daemonset/kube-proxy --timeout=60s >&2 ;;
*) usage ;;
esac
case $1-$2 in
stop-kube-apiserver) wait_for 60 "the API server to end" eval '! api_answers' ;;
start-kube-apiserver) wait_for 120 "the API server" api_answers ;;
esac
