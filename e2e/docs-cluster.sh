#!/usr/bin/env bash
# Runs what the pages and the chart's notes tell people to do on a cluster: every block fenced as ```sh cluster, in order,
# one shell per page, in a folder that has the examples and an image to push. Each page starts without its namespaces, but
# those of docs/how-to and docs/reference: they are for somebody who has a registry, whose accounts are admin and ci, a
# namespace with applications, and a password and a certificate of their own in files.
#
#   docs-cluster.sh [PAGE...]   default: every page with such blocks, and the notes of the release
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/env.sh"
folder=$(mktemp -d)
export DOCKER_CONFIG=$folder/docker

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

paste() { # NAME FILE: runs the commands as a reader would paste them
	echo "--> running the commands of $1" >&2
	clean
	rm -rf "$folder/here" && mkdir -p "$folder/here" "$DOCKER_CONFIG"
	ln -s "$ROOT/examples" "$folder/here/examples"
	cp -r "$HELLO_LAYOUT" "$folder/here/busybox"
	if [[ $1 = docs/how-to/* || $1 = docs/reference/* ]]; then (cd "$folder/here" && registry); fi
	(cd "$folder/here" && bash -euo pipefail "$2" >&2) || die "a command of $1 failed"
}

if [ $# = 0 ]; then
	mapfile -t pages < <(cd "$ROOT" && git grep -l --untracked '^```sh cluster$' -- '*.md')
	set -- "${pages[@]}" notes
fi
for page; do
	if [ "$page" = notes ]; then
		helm -n "$OPERATOR_NAMESPACE" get notes private-registry-operator >"$folder/notes"
		sed -n '/^kubectl create namespace/,/^kubectl .* wait/p' "$folder/notes" >"$folder/commands"
	else
		awk '/^```sh cluster$/ {on = 1; next} /^```/ {on = 0} on' "$ROOT/$page" >"$folder/commands"
	fi
	[ -s "$folder/commands" ] || die "no commands in $page"
	paste "$page" "$folder/commands"
done
