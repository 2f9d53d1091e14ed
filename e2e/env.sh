# Where the end-to-end scripts find things. Sourced, never run; the cluster scripts own the values.
source "$(dirname "${BASH_SOURCE[0]}")/cluster/lib.sh"
E2E=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
ROOT=$(dirname "$E2E")
export PATH=$CACHE/bin:$PATH
export KUBECONFIG=${KUBECONFIG:-$STATE/kubeconfig}
export CERTS_D=$STATE/certs.d
export HELLO_LAYOUT=$STATE/hello
OPERATOR_NAMESPACE=private-registry-system
