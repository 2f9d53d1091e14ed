#!/usr/bin/env bash
# From nothing to a pod that runs an image out of a private registry, and what to try next.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/env.sh"
namespace=demo

stage() { printf '\n[%4ss] %s\n' "$SECONDS" "$*" >&2; }
demo() { kubectl -n "$namespace" "$@"; }

stage "1/6 A cluster, our two images, the operator by Helm"
"$E2E/install.sh"
source "$E2E/env.sh"

stage "2/6 kubectl apply -f examples/minimal.yaml"
[ -n "$(kubectl get namespace "$namespace" --ignore-not-found -o name)" ] || kubectl create namespace "$namespace" >&2
applied=$SECONDS
demo apply -f "$ROOT/examples/minimal.yaml" >&2
demo wait --for=condition=Ready preg/team --timeout=120s >&2
stage "    Ready after $((SECONDS - applied))s, $(($(date +%s) - $(cat "$STATE/helm-began")))s after Helm began"
demo get preg >&2

stage "3/6 Log in as admin, trusting the registry's CA"
home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
demo get configmap team-trust -o 'go-template={{index .data "ca.crt"}}' >"$home/ca.crt"
address=$(demo get service team-registry -o 'jsonpath={.spec.clusterIP}')
# The node's proxy learns of a ready pod a moment after the API server does.
curl -sS --cacert "$home/ca.crt" --retry 20 --retry-connrefused --retry-delay 1 -o /dev/null "https://$address/v2/"
export SSL_CERT_FILE=$home/ca.crt SSL_CERT_DIR=/nonexistent DOCKER_CONFIG=$home
demo get secret team.admin -o 'go-template={{.data.password | base64decode}}' |
	crane auth login -u admin --password-stdin "$address" >&2

stage "4/6 Push an image, pull it back"
crane push "$HELLO_LAYOUT" "$address/hello:1" >&2
crane pull --format=oci "$address/hello:1" "$home/pulled"
diff -r "$HELLO_LAYOUT/blobs" "$home/pulled/blobs" >&2
echo "pulled back $(crane digest "$address/hello:1"), byte for byte what was pushed" >&2

stage "5/6 Start a pod from it"
host=team-registry.$namespace.svc
mkdir -p "$CERTS_D/$host"
cp "$home/ca.crt" "$CERTS_D/$host/ca.crt"
cat >"$CERTS_D/$host/hosts.toml" <<TOML
server = "https://$address"

[host."https://$address"]
  capabilities = ["pull", "resolve"]
  ca = "$CERTS_D/$host/ca.crt"
TOML
"$E2E/cluster/trust.sh"
demo delete pod hello --ignore-not-found --wait >&2
demo run hello --image="$host/hello:1" --image-pull-policy=Always \
	--overrides='{"spec": {"imagePullSecrets": [{"name": "team-pull"}]}}' >&2
demo wait --for=condition=Ready pod/hello --timeout=60s >&2
demo get pod hello -o wide >&2

stage "6/6 Done"
cat <<TEXT

A pod runs an image that your own registry served.

  cluster    export KUBECONFIG=$KUBECONFIG PATH=$CACHE/bin:\$PATH
  URL        $(demo get preg team -o 'jsonpath={.status.url}')   (from this machine: https://$address)
  user       admin
  password   kubectl -n $namespace get secret team.admin -o 'go-template={{.data.password | base64decode}}'
  CA         in ConfigMap team-trust; docs/how-to/trust-the-ca.md says where each client wants it

Try next:
  kubectl -n $namespace describe preg team
  kubectl -n $namespace get configmap team-trust -o 'go-template={{index .data "ca.crt"}}' > ca.crt
  kubectl -n $namespace get secret team.admin -o 'go-template={{.data.password | base64decode}}' |
    SSL_CERT_FILE=ca.crt crane auth login -u admin --password-stdin $address
  SSL_CERT_FILE=ca.crt crane catalog $address
  kubectl -n $namespace patch preg team --type=merge -p '{"spec": {"readOnly": true}}'
  make demo-down
TEXT
