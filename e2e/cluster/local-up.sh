#!/usr/bin/env bash
# Brings up a one-node Kubernetes of real programs, or starts again what has ended of it. Prints the path of
# its kubeconfig on standard output and nothing else there. -f takes the last cluster down first.
#
#   export KUBECONFIG=$(local-up.sh [-f])
#
# Pulling from a private registry: containerd reads $STATE/certs.d/HOST/hosts.toml at each pull, no restart.
# HOST is what the image name says, `IP:PORT` or `name:port`, without the port when the name has none:
#   mkdir -p $STATE/certs.d/HOST && cp ca.crt $STATE/certs.d/HOST/ && cat >$STATE/certs.d/HOST/hosts.toml
#   server = "https://ADDRESS"
#   [host."https://ADDRESS"]
#     capabilities = ["pull", "resolve"]
#     ca = "$STATE/certs.d/HOST/ca.crt"
# The node's resolver knows no service names, so ADDRESS is the service's ClusterIP; its certificate must name it.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
need_root
[ "${1:-}" != -f ] || "$CLUSTER/down.sh"
[ ${#STATE} -le 60 ] || die "PREG_CLUSTER_DIR is too long for unix sockets: $STATE"
PKI=$STATE/pki
CONF=$STATE/conf
LIBCNI=/usr/lib/cni
API=https://$NODE_IP:6443
K8S_VERSION=$(awk '$1 == "k8s.io/kubernetes" {print $2; exit}' "$CLUSTER/tools/k8s/go.mod")

network() {
	machine_network "$NFT_TABLE" "ip saddr $POD_CIDR ip daddr != { $POD_CIDR, $SERVICE_CIDR, $NODE_IP }"
	if [ -e /proc/sys/net/bridge ]; then sysctl -qw net.bridge.bridge-nf-call-iptables=1; fi
	[ -e "/sys/class/net/$NODE_LINK" ] || ip link add "$NODE_LINK" type bridge
	ip addr replace "$NODE_IP/24" dev "$NODE_LINK"
	ip link set "$NODE_LINK" up
}

sign() { # NAME SUBJECT EXTENSIONS: a key and a certificate of the cluster's CA
	quietly openssl req -new -newkey rsa:2048 -nodes -keyout "$PKI/$1.key" -out "$PKI/$1.csr" -subj "$2"
	quietly openssl x509 -req -in "$PKI/$1.csr" -CA "$PKI/ca.crt" -CAkey "$PKI/ca.key" -CAcreateserial -days 365 \
		-extfile <(echo "$3") -out "$PKI/$1.crt"
}

certificates() {
	local program
	if [ -e "$PKI/done" ]; then return; fi
	rm -rf "$PKI"
	cat >"$CONF/kubeadm.yaml" <<-YAML
		apiVersion: kubeadm.k8s.io/v1beta4
		kind: InitConfiguration
		localAPIEndpoint: {advertiseAddress: $NODE_IP, bindPort: 6443}
		nodeRegistration: {name: $NODE, criSocket: "unix://$SOCKET"}
		---
		apiVersion: kubeadm.k8s.io/v1beta4
		kind: ClusterConfiguration
		kubernetesVersion: $K8S_VERSION
		certificatesDir: $PKI
		controlPlaneEndpoint: $NODE_IP:6443
		networking: {serviceSubnet: $SERVICE_CIDR, podSubnet: $POD_CIDR, dnsDomain: cluster.local}
		apiServer: {certSANs: [localhost, 127.0.0.1]}
	YAML
	rm -f "$CONF"/{admin,super-admin,kubelet,controller-manager,scheduler}.conf
	"$BIN/kubeadm" init phase certs all --config "$CONF/kubeadm.yaml" >"$STATE/logs/kubeadm.log" 2>&1
	"$BIN/kubeadm" init phase kubeconfig all --config "$CONF/kubeadm.yaml" --kubeconfig-dir "$CONF" >>"$STATE/logs/kubeadm.log" 2>&1
	sign kubelet "/O=system:nodes/CN=system:node:$NODE" "subjectAltName=DNS:$NODE,IP:$NODE_IP
extendedKeyUsage=serverAuth"
	for program in kube-proxy kube-router; do # outside a pod: a certificate in place of a token
		sign $program "/CN=system:$program" extendedKeyUsage=clientAuth
		cat >"$CONF/$program.conf" <<-YAML
			apiVersion: v1
			kind: Config
			clusters: [{name: e2e, cluster: {server: "$API", certificate-authority: "$PKI/ca.crt"}}]
			users: [{name: $program, user: {client-certificate: "$PKI/$program.crt", client-key: "$PKI/$program.key"}}]
			contexts: [{name: e2e, context: {cluster: e2e, user: $program}}]
			current-context: e2e
		YAML
	done
	touch "$PKI/done"
}

container_engine() {
	cat >"$CONF/containerd.toml" <<-TOML
		version = 2
		root = "$STATE/containerd"
		state = "$STATE/run/containerd"
		[grpc]
		  address = "$SOCKET"
		[plugins."io.containerd.grpc.v1.cri"]
		  sandbox_image = "localhost/pause:node"
		  netns_mounts_under_state_dir = true
		  # Without CAP_SYS_RESOURCE no OOM score can be lowered, and runc fails for each pod.
		  restrict_oom_score_adj = true
		  disable_apparmor = true
		  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
		    runtime_type = "io.containerd.runc.v2"
		    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
		      Root = "$STATE/run/runc"
		  [plugins."io.containerd.grpc.v1.cri".cni]
		    bin_dir = "$LIBCNI"
		    conf_dir = "$CONF/cni"
		  [plugins."io.containerd.grpc.v1.cri".registry]
		    config_path = "$STATE/certs.d"
	TOML
	cat >"$CONF/cni/10-e2e.conflist" <<-JSON
		{"cniVersion": "1.0.0", "name": "preg-e2e", "plugins": [
		  {"type": "bridge", "bridge": "$POD_LINK", "isGateway": true, "hairpinMode": true, "ipMasq": false,
		   "ipam": {"type": "host-local", "dataDir": "$STATE/cni", "ranges": [[{"subnet": "$NODE_POD_CIDR"}]],
		            "routes": [{"dst": "0.0.0.0/0"}]}},
		  {"type": "portmap", "capabilities": {"portMappings": true}}]}
	JSON
	start containerd containerd --config "$CONF/containerd.toml"
	wait_for 30 containerd node_ctr version
}

node_images() {
	local archive archives mark
	archives=$("$CLUSTER/node-images.sh" pause busybox coredns local-path-provisioner)
	for archive in $archives; do
		mark=$STATE/imported-$(basename "$archive" .tar)
		if [ "$mark" -nt "$archive" ]; then continue; fi
		node_ctr images import --all-platforms "$archive" >/dev/null
		touch "$mark"
	done
}

control_plane() {
	local etcd=https://127.0.0.1:2379 peer=https://127.0.0.1:2380 shared
	start etcd "$BIN/etcd" --name "$NODE" --data-dir "$STATE/etcd" --unsafe-no-fsync --log-level warn \
		--listen-client-urls $etcd --advertise-client-urls $etcd \
		--listen-peer-urls $peer --initial-advertise-peer-urls $peer --initial-cluster "$NODE=$peer" \
		--cert-file "$PKI/etcd/server.crt" --key-file "$PKI/etcd/server.key" \
		--trusted-ca-file "$PKI/etcd/ca.crt" --client-cert-auth \
		--peer-cert-file "$PKI/etcd/peer.crt" --peer-key-file "$PKI/etcd/peer.key" \
		--peer-trusted-ca-file "$PKI/etcd/ca.crt" --peer-client-cert-auth
	start kube-apiserver "$BIN/kube-apiserver" --advertise-address "$NODE_IP" --secure-port 6443 \
		--etcd-servers $etcd --etcd-cafile "$PKI/etcd/ca.crt" \
		--etcd-certfile "$PKI/apiserver-etcd-client.crt" --etcd-keyfile "$PKI/apiserver-etcd-client.key" \
		--tls-cert-file "$PKI/apiserver.crt" --tls-private-key-file "$PKI/apiserver.key" --client-ca-file "$PKI/ca.crt" \
		--authorization-mode Node,RBAC --enable-admission-plugins NodeRestriction --allow-privileged \
		--kubelet-client-certificate "$PKI/apiserver-kubelet-client.crt" \
		--kubelet-client-key "$PKI/apiserver-kubelet-client.key" --kubelet-certificate-authority "$PKI/ca.crt" \
		--kubelet-preferred-address-types InternalIP \
		--requestheader-client-ca-file "$PKI/front-proxy-ca.crt" --requestheader-allowed-names front-proxy-client \
		--requestheader-extra-headers-prefix X-Remote-Extra- --requestheader-group-headers X-Remote-Group \
		--requestheader-username-headers X-Remote-User \
		--proxy-client-cert-file "$PKI/front-proxy-client.crt" --proxy-client-key-file "$PKI/front-proxy-client.key" \
		--service-account-issuer https://kubernetes.default.svc.cluster.local \
		--service-account-key-file "$PKI/sa.pub" --service-account-signing-key-file "$PKI/sa.key" \
		--service-cluster-ip-range $SERVICE_CIDR --shutdown-delay-duration 0s
	# One of each: no leader to elect, no lease of a killed one to wait for.
	shared="--bind-address 127.0.0.1 --leader-elect=false"
	# shellcheck disable=SC2086 # two words
	start kube-controller-manager "$BIN/kube-controller-manager" $shared --kubeconfig "$CONF/controller-manager.conf" \
		--authentication-kubeconfig "$CONF/controller-manager.conf" \
		--authorization-kubeconfig "$CONF/controller-manager.conf" \
		--client-ca-file "$PKI/ca.crt" --requestheader-client-ca-file "$PKI/front-proxy-ca.crt" \
		--cluster-signing-cert-file "$PKI/ca.crt" --cluster-signing-key-file "$PKI/ca.key" --root-ca-file "$PKI/ca.crt" \
		--service-account-private-key-file "$PKI/sa.key" --use-service-account-credentials \
		--kube-api-qps 200 --kube-api-burst 400 \
		--allocate-node-cidrs --cluster-cidr $POD_CIDR --service-cluster-ip-range $SERVICE_CIDR
	# shellcheck disable=SC2086
	start kube-scheduler "$BIN/kube-scheduler" $shared --kubeconfig "$CONF/scheduler.conf" \
		--authentication-kubeconfig "$CONF/scheduler.conf" --authorization-kubeconfig "$CONF/scheduler.conf"
}

node() {
	local hierarchy hierarchies=(/sys/fs/cgroup) # version 2 has one, version 1 one for each sort of limit
	[ -e /sys/fs/cgroup/cgroup.controllers ] || hierarchies=(/sys/fs/cgroup/*)
	for hierarchy in "${hierarchies[@]}"; do mkdir -p "$hierarchy/$CGROUP"; done
	write "$CONF/resolv.conf" </dev/null
	write "$CONF/kubelet.yaml" <<-YAML
		apiVersion: kubelet.config.k8s.io/v1beta1
		kind: KubeletConfiguration
		failCgroupV1: false
		cgroupDriver: cgroupfs
		cgroupRoot: /$CGROUP
		containerRuntimeEndpoint: unix://$SOCKET
		authentication: {anonymous: {enabled: false}, webhook: {enabled: true}, x509: {clientCAFile: "$PKI/ca.crt"}}
		authorization: {mode: Webhook}
		tlsCertFile: $PKI/kubelet.crt
		tlsPrivateKeyFile: $PKI/kubelet.key
		clusterDNS: [$DNS_IP]
		clusterDomain: cluster.local
		resolvConf: $CONF/resolv.conf
		failSwapOn: false
		makeIPTablesUtilChains: false
		serializeImagePulls: false
		seccompDefault: true
		podLogsDir: $STATE/pod-logs
		# Neither evict a test's pods nor remove images that nothing brings back.
		evictionHard: {memory.available: 100Mi, nodefs.available: 1%, nodefs.inodesFree: 1%, imagefs.available: 1%}
		imageGCHighThresholdPercent: 100
		imageGCLowThresholdPercent: 99
	YAML
	start kubelet "$BIN/kubelet" --config "$CONF/kubelet.yaml" --kubeconfig "$CONF/kubelet.conf" \
		--root-dir "$STATE/kubelet" --hostname-override $NODE --node-ip $NODE_IP
	write "$CONF/kube-proxy.yaml" <<-YAML
		apiVersion: kubeproxy.config.k8s.io/v1alpha1
		kind: KubeProxyConfiguration
		mode: nftables
		clusterCIDR: $POD_CIDR
		hostnameOverride: $NODE
		healthzBindAddress: 127.0.0.1:10256
		metricsBindAddress: 127.0.0.1:10249
		clientConnection: {kubeconfig: "$CONF/kube-proxy.conf"}
		conntrack: {maxPerCore: 0}
		nftables: {minSyncPeriod: 100ms}
	YAML
	start kube-proxy "$BIN/kube-proxy" --config "$CONF/kube-proxy.yaml"
}

node_ready() {
	cluster_kubectl get node $NODE -o 'jsonpath={.status.conditions[?(@.type=="Ready")].status}' | grep -qx True
}
# Its last rule is there. Rules of the last run stay in force, so this says nothing of a restarted one.
policies_ready() { iptables -S KUBE-ROUTER-FORWARD | grep -q 'explicitly ACCEPT'; }

workloads() {
	local manifest
	wait_for 60 "API server" cluster_kubectl get --raw /readyz
	for manifest in "$CLUSTER"/manifests/*.yaml; do
		sed -e "s#\${DNS_IP}#$DNS_IP#" -e "s#\${VOLUMES}#$STATE/volumes#" "$manifest"
		echo ---
	done | cluster_kubectl apply -f - >"$STATE/logs/apply.log"
	# The stored condition may be the last run's: ask the kubelet first.
	wait_for 60 kubelet curl -fsS --max-time 2 http://127.0.0.1:10248/healthz
	# A kubelet that had nobody to report to for a while reports again within two minutes.
	wait_for 180 node node_ready
	# Only what enforces network policies; its health port would listen on all addresses.
	start kube-router "$BIN/kube-router" --kubeconfig "$CONF/kube-router.conf" --hostname-override $NODE \
		--run-firewall --run-router=false --run-service-proxy=false --service-cluster-ip-range $SERVICE_CIDR --health-port 0
	wait_for 60 "network policies" policies_ready
	cluster_kubectl -n kube-system rollout status deployment/coredns --timeout=90s >>"$STATE/logs/apply.log"
	cluster_kubectl -n local-path-storage rollout status deployment/local-path-provisioner --timeout=90s >>"$STATE/logs/apply.log"
	for manifest in "${PROCESSES[@]}"; do
		running "$manifest" >/dev/null || die "$manifest has ended: $STATE/logs/$manifest.log"
	done
}

need containerd=containerd runc=runc nft=nftables iptables=iptables ipset=ipset conntrack=conntrack ip=iproute2 \
	jq=jq curl=curl openssl=openssl /etc/protocols=netbase $LIBCNI/bridge=containernetworking-plugins
mkdir -p "$STATE"/{pids,logs,run,certs.d,kubelet,conf/cni} "$IMAGES"
step programs "$CLUSTER/programs.sh"
step network network
step certificates certificates
install -m 600 "$CONF/super-admin.conf" "$STATE/kubeconfig"
step containerd container_engine
control_plane
step "images of the node" node_images
node
step "node and workloads ready" workloads
record_in_use local
say "the local control plane is up"
echo "$STATE/kubeconfig"
