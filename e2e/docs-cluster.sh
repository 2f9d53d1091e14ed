#!/usr/bin/env bash
# Runs what the pages and the chart's notes tell people to do on a cluster: every block fenced as ```sh cluster, in order,
# one shell per page, in a folder that has the examples, the charts and an image to push. In blocks fenced as ```sh dry, for
# what would change the operator that all tests need, helm and kubectl only say what they would do. Each page starts without
# its namespaces, but those of docs/how-to and docs/reference: they are for somebody who has a registry, whose accounts are
# admin and ci, a namespace with applications, and a password and a certificate of their own in files. Who moves images has
# a second registry.
#
#   docs-cluster.sh [PAGE...]   default: every page with such blocks, and the notes of the release
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/env.sh"
folder=$(mktemp -d)
export DOCKER_CONFIG=$folder/docker REGISTRY_AUTH_FILE=$folder/auth.json
need podman=podman skopeo=skopeo openssl=openssl

clean() { kubectl delete namespace tools apps --ignore-not-found --wait --timeout=120s >&2; }
leave() { clean && rm -rf "$folder"; }
trap leave EXIT

registry() { # the one that how-to pages speak of
	echo another-password >password.txt
	quietly openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj /CN=example \
		-addext subjectAltName=DNS:registry.example.com -keyout tls.key -out tls.crt
	cp tls.crt ca.crt
	kubectl create namespace tools >&2
	kubectl create namespace apps >&2
	kubectl -n tools apply -f examples/minimal.yaml >&2
	kubectl -n tools patch preg team --type=merge -p '{"spec": {"auth": {"htpasswd": {"users": [{"name": "admin"}, {"name": "ci"}]}}}}' >&2
	kubectl -n tools wait --for=condition=Ready preg/team --timeout=120s >&2
	kubectl -n tools wait --for=create secret/team.ci --timeout=60s >&2
}

value() { # OBJECT KEY: of its data, as it is
	kubectl -n tools get "$1" -o "go-template={{index .data \"$2\"}}"
}

second_registry() { # the one to move images to: says where both are
	local name address client cas=()
	kubectl -n tools apply -f - >&2 <<-YAML
		{apiVersion: privateregistry.dev/v1alpha1, kind: PrivateRegistry, metadata: {name: new}, spec: {storage: {ephemeral: {}}}}
	YAML
	kubectl -n tools wait --for=condition=Ready preg/new --timeout=120s >&2
	for name in team new; do
		address=$(kubectl -n tools get service "$name-registry" -o 'jsonpath={.spec.clusterIP}')
		value "configmap/$name-trust" ca.crt >"$name.crt"
		cas+=("$name.crt")
		for client in skopeo "crane auth"; do # they do not read each other's files
			# shellcheck disable=SC2086 # two words
			value "secret/$name.admin" password | base64 -d |
				SSL_CERT_FILE=$name.crt $client login -u admin --password-stdin "$address" >&2
		done
		echo "$([ "$name" = team ] && echo OLD || echo NEW)=$address"
	done
	cat "${cas[@]}" >both.crt
	echo "export SSL_CERT_FILE=$PWD/both.crt; crane push busybox \"\$OLD/hello:1\"; crane push busybox \"\$OLD/team/app:2\""
}

# That everything has arrived.
MOVED='for image in hello:1 team/app:2; do [ "$(crane digest "$OLD/$image")" = "$(crane digest "$NEW/$image")" ]; done'

commands() { # PAGE: its blocks
	awk '
		/^```sh cluster$/ {on = 1; next}
		/^```sh dry$/ {
			on = 1; dry = 1
			print "( helm() { command helm \"$@\" \"--dry-run$([ $1 = uninstall ] || echo =server)\" >/dev/null; }"
			print "kubectl() { command kubectl \"$@\" --dry-run=server; }"
			next
		}
		/^```/ {if (dry) print ")"; on = 0; dry = 0}
		on' "$1"
}

paste() { # NAME FILE: runs the commands as a reader would paste them
	echo "--> running the commands of $1" >&2
	clean
	rm -rf "$folder/here" && mkdir -p "$folder/here" "$DOCKER_CONFIG"
	ln -s "$ROOT/examples" "$ROOT/charts" "$folder/here/"
	cp -r "$HELLO_LAYOUT" "$folder/here/busybox"
	if [[ $1 = docs/how-to/* || $1 = docs/reference/* ]]; then (cd "$folder/here" && registry); fi
	if [ "$1" = docs/how-to/back-up-and-move.md ]; then
		{ (cd "$folder/here" && second_registry) && cat "$2" && echo "$MOVED"; } >"$2.whole"
		mv "$2.whole" "$2"
	fi
	(cd "$folder/here" && bash -euo pipefail "$2" >&2) || die "a command of $1 failed"
}

if [ $# = 0 ]; then
	mapfile -t pages < <(cd "$ROOT" && git grep -lE --untracked '^```sh (cluster|dry)$' -- '*.md')
	set -- "${pages[@]}" notes
fi
for page; do
	if [ "$page" = notes ]; then
		helm -n "$OPERATOR_NAMESPACE" get notes private-registry-operator >"$folder/notes"
		sed -n '/^kubectl create namespace/,/^kubectl .* wait/p' "$folder/notes" >"$folder/commands"
	else
		commands "$ROOT/$page" >"$folder/commands"
	fi
	[ -s "$folder/commands" ] || die "no commands in $page"
	paste "$page" "$folder/commands"
done
