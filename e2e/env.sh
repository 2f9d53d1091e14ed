# shellcheck shell=bash disable=SC2034
# Where the end-to-end scripts find things. Sourced, never run; the cluster scripts own the values. Source it again
# after a cluster was brought up.
source "$(dirname "${BASH_SOURCE[0]}")/cluster/lib.sh"
work_on "$(cluster_in_use)"
E2E=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
ROOT=$(dirname "$E2E")
export PATH=$CACHE/bin:$PATH
export PREG_USER_KUBECONFIG=${PREG_USER_KUBECONFIG-${KUBECONFIG:-}}
export KUBECONFIG=$STATE/kubeconfig # whatever it was: the suite must not run against a cluster that it did not make
export CERTS_D=$STATE/certs.d
export HELLO_LAYOUT=$STATE/hello
export SERVER_ARCHIVE=$IMAGES/registry-server.tar
export CLUSTER_COMPONENT=$E2E/cluster/component.sh
OPERATOR_NAMESPACE=private-registry-system
