#!/usr/bin/env bash
# Checks the chart without a cluster: lint, same output twice (operator 125), a strict schema (126), no value that does
# nothing (129), pods under the restricted standard, a CRD that outlives the release.
#   HELM    the helm to use; default: the one in PATH
set -euo pipefail
HELM=${HELM:-helm}
chart=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/private-registry-operator
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
passed=0 failed=0

check() { # TEXT COMMAND...: counts whether the command succeeds
	local text=$1
	shift
	if "$@" >"$scratch/output" 2>&1; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		printf 'FAILED: %s\n' "$text" >&2
		sed 's/^/    /' "$scratch/output" >&2
	fi
}
refused() { ! "$@"; }
render() {
	"$HELM" template private-registry-operator "$chart" --namespace private-registry-system --kube-version 1.34.0 "$@"
}
refused_by_the_schema() { # ARGUMENTS...: fails for another reason, too
	refused render "$@" 2>&1 | grep "values don't meet the specifications of the schema"
}

# Each value, and a change to it that must show in the manifests: PATH | BASE ARGUMENTS | CHANGE
monitored='--set serviceMonitor.enabled=true'
changes() {
	cat <<TABLE
image.repository||--set image.repository=changed.example.com/operator
image.tag||--set image.tag=changed
image.pullPolicy||--set image.pullPolicy=Always
imagePullSecrets||--set imagePullSecrets[0].name=changed
registryImage||--set registryImage=changed.example.com/registry:1
redisImage||--set redisImage=changed.example.com/redis:1
watchNamespaces||--set watchNamespaces[0]=changed
replicas||--set replicas=2
resources.requests||--set resources.requests.cpu=77m
resources.limits||--set resources.limits.memory=77Mi
nodeSelector||--set nodeSelector.changed=yes
tolerations||--set tolerations[0].key=changed
affinity||--set-json affinity.podAntiAffinity={"preferredDuringSchedulingIgnoredDuringExecution":[]}
podLabels||--set podLabels.changed=yes
podAnnotations||--set podAnnotations.changed=yes
logLevel||--set logLevel=debug
serviceMonitor.enabled||$monitored
serviceMonitor.labels|$monitored|--set serviceMonitor.labels.changed=yes
serviceMonitor.interval|$monitored|--set serviceMonitor.interval=77s
TABLE
}
# Paths of values.yaml: keys with a value on their line, and the keys one level below the others.
paths_of_values() {
	awk '/^[a-zA-Z]+: ./ {sub(":.*", ""); print} /^[a-zA-Z]+:$/ {sub(":", ""); parent = $0}
		/^  [a-zA-Z]+:/ {sub("^  ", ""); sub(":.*", ""); print parent "." $0}' "$chart/values.yaml" | sort
}
every_value_is_in_the_table() { diff <(paths_of_values) <(changes | cut -d '|' -f 1 | sort); }
every_value_has_a_comment() {
	awk '/^ *[a-zA-Z]+:/ && !/^    / && !/^  (requests|limits):/ && before !~ /^ *#/ {print "no comment: " $0; bad = 1}
		{before = $0} END {exit bad}' "$chart/values.yaml"
}
value_does_something() { # BASE CHANGE
	local -a base change
	read -ra base <<<"$1"
	read -ra change <<<"$2"
	render "${base[@]}" >"$scratch/before" || return 1
	render "${base[@]}" "${change[@]}" >"$scratch/after" || return 1
	refused cmp -s "$scratch/before" "$scratch/after"
}

check "helm lint --strict" "$HELM" lint --strict "$chart"
check "helm lint --strict with everything on" "$HELM" lint --strict "$chart" --set serviceMonitor.enabled=true
check "helm template" render
# A rendering that fails from here on ends this script, with what Helm said: checks on an empty file would pass.
render >"$scratch/first"
render >"$scratch/second"
check "two renderings are the same" cmp "$scratch/first" "$scratch/second"

for unknown in unknown image.unknown serviceMonitor.unknown resources.unknown affinity.unknown tolerations[0].unknown \
	imagePullSecrets[0].unknown; do
	check "the schema refuses the unknown value $unknown" refused_by_the_schema --set "$unknown=x"
done
for mistyped in watchNamespaces[0]=Not_A_Name replicas=two image.pullPolicy=Sometimes logLevel=loud serviceMonitor.enabled=perhaps \
	serviceMonitor.interval=often registryImage=; do
	check "the schema refuses $mistyped" refused_by_the_schema --set "$mistyped"
done

check "every value is in this script's table" every_value_is_in_the_table
check "every value has a comment" every_value_has_a_comment
while IFS='|' read -r path base change; do
	check "$path changes the manifests" value_does_something "$base" "$change"
done < <(changes)

render -s templates/deployment.yaml >"$scratch/deployment"
for line in 'runAsNonRoot: true' 'runAsUser: 65532' 'readOnlyRootFilesystem: true' 'allowPrivilegeEscalation: false' \
	'drop: \[ALL\]' 'type: RuntimeDefault' 'enableServiceLinks: false' 'path: /livez' 'path: /readyz'; do
	check "the Deployment has '$line'" grep -q "^ *$line\$" "$scratch/deployment"
done
for line in 'privileged: true' 'hostNetwork:' 'hostPath:' 'hostPID:'; do
	check "the Deployment has no '$line'" refused grep -q "$line" "$scratch/deployment"
done
render --set podLabels."app\.kubernetes\.io/name"=other -s templates/deployment.yaml >"$scratch/labels"
check "a label of the values does not take pods out of the selector" \
	refused grep -q 'app.kubernetes.io/name: other' "$scratch/labels"

render -s templates/crd.yaml >"$scratch/crd"
check "the CRD stays when the release goes" grep -q '^ *helm.sh/resource-policy: keep$' "$scratch/crd"
check "the CRD is PrivateRegistry's" grep -q '^  name: privateregistries.privateregistry.dev$' "$scratch/crd"
check "no rule of RBAC has a wildcard" refused grep -nE "[\"']\*[\"']|- \*" "$chart"/templates/*rbac*.yaml

render -s templates/tests/selftest.yaml >"$scratch/test"
for line in 'runAsNonRoot: true' 'readOnlyRootFilesystem: true' 'allowPrivilegeEscalation: false' 'type: RuntimeDefault'; do
	check "the test's pod has '$line'" grep -q "^ *$line\$" "$scratch/test"
done
check "the test reads one Secret and no other" grep -q 'resourceNames: \[selftest.admin\]' "$scratch/test"
check "the test's pod is not taken for the operator's" refused grep -q 'app.kubernetes.io/name: private-registry-operator' \
	<(sed -n '/^kind: Pod/,$p' "$scratch/test")

render --set 'watchNamespaces={a,b}' >"$scratch/namespaces"
check "with watchNamespaces nothing but the CRD is outside namespaces" refused grep -q '^kind: ClusterRole' "$scratch/namespaces"
for namespace in a b; do
	check "there is a role in namespace $namespace" grep -q "^  namespace: $namespace\$" "$scratch/namespaces"
	check "namespace $namespace is watched" grep -q "^ *- --watch-namespace=$namespace\$" "$scratch/namespaces"
done

# Helm renders the notes for a cluster only: here they are the text of a manifest in a copy of the chart.
cp -r "$chart" "$scratch/chart"
mv "$scratch/chart/templates/NOTES.txt" "$scratch/chart/"
echo 'notes: {{ tpl (.Files.Get "NOTES.txt") . | b64enc }}' >"$scratch/chart/templates/notes.yaml"
"$HELM" template notes "$scratch/chart" --kube-version 1.34.0 -s templates/notes.yaml >"$scratch/notes.yaml"
sed -n 's/^notes: //p' "$scratch/notes.yaml" | base64 -d >"$scratch/notes"
sed -n '/^kubectl create namespace/,/^kubectl .* wait/p' "$scratch/notes" >"$scratch/commands"
# What bash warns of, such as a document that never ends, would leave the reader's terminal waiting.
commands_can_be_pasted() { [ -s "$scratch/commands" ] && ! bash -n "$scratch/commands" 2>&1 | grep .; }
check "the notes' commands can be pasted" commands_can_be_pasted

render --set serviceMonitor.enabled=true -s templates/servicemonitor.yaml >"$scratch/monitor"
labels_below() { # FILE KEY: the labels below the first line that is KEY, sorted
	awk -v key="$2" '$0 ~ "^ *" key ":$" && !depth {match($0, /^ */); depth = RLENGTH + 1; next}
		depth {match($0, /^ */); if (RLENGTH < depth) exit; print $1 $2}' "$1" | sort
}
all_of() { # SELECTOR LABELS: files
	[ -s "$1" ] && [ -z "$(comm -23 "$1" "$2")" ]
}
awk '/^---$/ {part++} part == 1' "$scratch/monitor" >"$scratch/monitored"
awk '/^---$/ {part++} part == 2' "$scratch/monitor" >"$scratch/monitoring"
labels_below "$scratch/monitored" labels >"$scratch/service-labels"
labels_below "$scratch/monitored" selector >"$scratch/service-selector"
labels_below "$scratch/monitoring" matchLabels >"$scratch/monitor-selector"
sed -n '/^  template:/,$p' "$scratch/deployment" >"$scratch/pods"
labels_below "$scratch/pods" labels >"$scratch/pod-labels"
check "the ServiceMonitor selects the Service of the metrics" all_of "$scratch/monitor-selector" "$scratch/service-labels"
check "that Service selects the operator's pods" all_of "$scratch/service-selector" "$scratch/pod-labels"
check "its port is one of theirs" grep -q 'name: health' "$scratch/pods"

echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
