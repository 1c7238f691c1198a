# Part of ci/cluster: the node. One sleeping process holds its network and its mounts, the others enter them: addresses,
# rules and mounts end with the last of them.

daemons=(holder etcd containerd kube-apiserver kube-controller-manager kube-scheduler kubelet kube-proxy)

pid_of() { cat "$run/$1.pid" 2>/dev/null; }
members() { find "$groups/pids/$group" -name cgroup.procs -exec cat {} + 2>/dev/null || true; }

# This process and what it starts: whatever is in the node's network ends with the node.
join_group() { echo "$BASHPID" >"$groups/pids/$group/cgroup.procs"; }
# Whoever ends the group must not be in it.
leave_group() { echo "$BASHPID" >"$groups/pids/cgroup.procs" 2>/dev/null || true; }

# A process of that number that is not in the group is somebody else's.
lives() {
    local pid
    pid=$(pid_of "$1") && grep -qxF "$pid" "$groups/pids/$group/cgroup.procs" 2>/dev/null
}

is_running() {
    local name
    for name in "${daemons[@]}"; do lives "$name" || return; done
}

in_network() { nsenter --target "$(pid_of holder)" --net "$@"; }
kubectl() { in_network "$cache/bin/kubernetes/kubectl" --kubeconfig "$run/kubeconfig" "$@"; }
containerd_ctl() { ctr --address "$run/containerd.sock" --namespace k8s.io "$@"; }

# launch NAME COMMAND...: in the group, with NAME.log and NAME.pid.
launch() {
    local name=$1
    shift
    (
        join_group
        cd "$run"
        exec setsid "$@"
    ) >>"$run/$name.log" 2>&1 </dev/null 9>&- &
    echo $! >"$run/$name.pid"
}

# daemon NAME COMMAND...: in the node's namespaces too.
daemon() {
    local name=$1
    shift
    launch "$name" nsenter --target "$(pid_of holder)" --net --mount --wd="$run" "$@"
}

# setting FILE [AS]: a file of ci/cluster.d/etc with this machine's values.
setting() {
    sed "s|@CACHE@|$cache|g; s|@RUN@|$run|g; s|@GROUP@|$group|g; s|@TOKEN@|$(cat "$run/token")|g" \
        "$here/etc/$1" >"$run/${2:-$1}"
}

settings() {
    (umask 077 && od -An -N16 -tx1 /dev/urandom | tr -d ' \n' >"$run/token")
    echo "$(cat "$run/token"),admin,admin,system:masters" >"$run/tokens.csv"
    openssl genrsa -out "$run/accounts.key" 2048 2>/dev/null
    mkdir -p "$run/cni"
    setting containerd.toml
    setting kubelet.yaml
    setting kubeconfig
    setting cni.conflist cni/pods.conflist
}

# What the daemons write to fixed places of the machine is in $run instead. The default route ends at a bridge without
# ports: nothing comes in, nothing gets out.
hold() {
    local folder script=
    for folder in /run/containerd /var/lib/cni /var/lib/kubelet /var/log/containers; do
        script+="mkdir -p $folder '$run/places$folder'; mount --bind '$run/places$folder' $folder; "
    done
    script+="ip link set lo up; ip link add node type bridge; ip address add $node_address/24 dev node; ip link set node up; "
    script+="ip route add default dev node; echo 1 > /proc/sys/net/ipv4/ip_forward; touch '$run/held'; exec sleep infinity"
    launch holder unshare --net --mount --propagation private sh -euc "$script"
    until_done 20 "the node's namespaces" test -e "$run/held"
}

start_containerd() {
    daemon containerd containerd --config "$run/containerd.toml"
    until_done 60 containerd containerd_ctl version
}

# The store of images outlives the cluster for the sake of the programs built here. What else an earlier one left in it
# goes: containers, and images that were loaded.
clean_store() {
    local containers images
    containers=$(containerd_ctl containers ls -q)
    images=$(containerd_ctl images ls -q | grep -vE '^localhost/(pause|coredns|eventing-[a-z_]+):' || true)
    [[ -n $containers$images ]] || return 0
    [[ -z $containers ]] || xargs ctr --address "$run/containerd.sock" --namespace k8s.io containers rm <<<"$containers" >/dev/null
    [[ -z $images ]] || xargs ctr --address "$run/containerd.sock" --namespace k8s.io images rm <<<"$images" >/dev/null
    kill "$(pid_of containerd)"
    while lives containerd; do sleep 0.1; done
    start_containerd
}

start_node() {
    local bin=$cache/bin/kubernetes client=(--kubeconfig "$run/kubeconfig") controller
    mkdir -p "$run"
    # State of containers that are gone.
    rm -rf "$cache"/containerd/io.containerd.{runtime.v2.task,grpc.v1.cri}
    for controller in "$groups"/*/; do
        [[ ! -f $controller/cgroup.procs ]] || mkdir -p "$controller/$group"
    done
    settings
    hold
    daemon etcd etcd --data-dir "$run/etcd" --listen-peer-urls http://127.0.0.1:2380 --unsafe-no-fsync
    start_containerd
    daemon kube-apiserver "$bin/kube-apiserver" --etcd-servers http://127.0.0.1:2379 --bind-address 0.0.0.0 \
        --advertise-address $node_address --cert-dir "$run/certificates" --service-cluster-ip-range 10.96.0.0/16 \
        --service-account-key-file "$run/accounts.key" --service-account-signing-key-file "$run/accounts.key" \
        --service-account-issuer https://kubernetes.default.svc --token-auth-file "$run/tokens.csv" \
        --authorization-mode RBAC --allow-privileged --kubelet-preferred-address-types InternalIP
    clean_store
    program pause:1 "$cache/bin/knative/pause" knative
    until_done 120 "the API server" kubectl get --raw /readyz
    # Etcd 3.4 does not report how far a watch is, which lists by watches wait for.
    daemon kube-controller-manager "$bin/kube-controller-manager" "${client[@]}" --leader-elect=false \
        --bind-address 127.0.0.1 --service-account-private-key-file "$run/accounts.key" \
        --root-ca-file "$run/certificates/apiserver.crt" --kube-api-qps 100 --kube-api-burst 200 \
        --feature-gates WatchListClient=false
    daemon kube-scheduler "$bin/kube-scheduler" "${client[@]}" --leader-elect=false --bind-address 127.0.0.1
    daemon kubelet "$bin/kubelet" "${client[@]}" --config "$run/kubelet.yaml" --hostname-override node \
        --node-ip $node_address --root-dir "$run/kubelet" --cert-dir "$run/certificates"
    daemon kube-proxy "$bin/kube-proxy" "${client[@]}" --proxy-mode iptables --hostname-override node \
        --cluster-cidr 10.244.0.0/24 --conntrack-max-per-core 0 --healthz-bind-address 127.0.0.1 \
        --metrics-bind-address 127.0.0.1
    until_done 120 "the node" node_is_ready
}

node_is_ready() { kubectl get node node --no-headers | grep -q ' Ready '; }

start_dns() {
    program coredns:1 "$cache/bin/knative/coredns" knative
    kubectl apply -f "$here/etc/coredns.yaml" >/dev/null
    kubectl --namespace kube-system rollout status deployment/coredns --timeout 120s >/dev/null
}

# Ends whatever is in the group; namespaces and mounts end with it.
stop() {
    local round pids
    leave_group
    for round in {1..100}; do
        pids=$(members)
        [[ -n $pids ]] || break
        [[ $round -lt 100 ]] || fail "do not end: $pids"
        xargs kill -KILL <<<"$pids" 2>/dev/null || true
        sleep 0.1
    done
    rm -rf "$run"
    find "$groups"/*/"$group" -depth -type d -exec rmdir {} + 2>/dev/null || true
}
