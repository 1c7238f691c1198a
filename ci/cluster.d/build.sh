# Part of ci/cluster: what it is made of, and how programs become images.

debian=(openssl etcd-server containerd runc containernetworking-plugins buildah iptables conntrack iproute2)

packages() {
    if ! dpkg -s "${debian[@]}" >/dev/null 2>&1; then
        apt-get update -qq
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${debian[@]}" >/dev/null
    fi
}

version() { go list -C "$here/$1" -m -f '{{.Version}}' "$2"; }

# compile MODULE LINKER PACKAGE...: static programs of a folder here, into bin/MODULE, unless they are there from the same
# source, flags and compiler.
compile() {
    local module=$1 flags="-s -w$2" stamp=$cache/stamps/$1 made_of
    shift 2
    made_of=$({
        go version
        echo "$flags $*"
        find "$here/$module" -type f -print0 | sort -z | xargs -0 cat
    } | sha256sum)
    [[ $(cat "$stamp" 2>/dev/null) != "$made_of" ]] || return 0
    mkdir -p "$cache/bin/$module"
    CGO_ENABLED=0 GOFLAGS=-buildvcs=false nice \
        go build -C "$here/$module" -trimpath -ldflags "$flags" -o "$cache/bin/$module/" "$@"
    echo "$made_of" >"$stamp"
}

build_kubernetes() {
    local version package linker=
    version=$(version kubernetes k8s.io/kubernetes)
    # Without these it says that it is v0.0.0, which Helm and others believe.
    for package in k8s.io/component-base/version k8s.io/client-go/pkg/version; do
        linker+=" -X $package.gitVersion=$version -X $package.gitMajor=1 -X $package.gitMinor=$(cut -d. -f2 <<<"$version")"
    done
    compile kubernetes "$linker" tool
}

build_eventing() { compile knative "" ./coredns ./pause tool; }

# program NAME:TAG FILE STAMP: the node's image of one static program, FROM scratch, unless it has it from that build.
program() {
    local name=localhost/$1 file=$2 stamp=$cache/stamps/image-${1%%:*} made_of work
    made_of="$1 $(cat "$cache/stamps/$3")"
    if [[ $(cat "$stamp" 2>/dev/null) == "$made_of" ]] && containerd_ctl images ls -q | grep -qxF "$name"; then
        return
    fi
    work=$(mktemp -d -p "$run")
    tar -C "${file%/*}" --owner=0 --group=0 --mtime=@0 --transform 's|.*|program|' -cf "$work/layer.tar" "${file##*/}"
    printf '{"architecture": "amd64", "os": "linux", "config": {"Entrypoint": ["/program"], "User": "65532:65532"},
        "rootfs": {"type": "layers", "diff_ids": ["sha256:%s"]}}' "$(sha256sum <"$work/layer.tar" | cut -d' ' -f1)" \
        >"$work/config.json"
    printf '[{"Config": "config.json", "RepoTags": ["%s"], "Layers": ["layer.tar"]}]' "$name" >"$work/manifest.json"
    tar -C "$work" -c config.json layer.tar manifest.json | containerd_ctl images import - >/dev/null
    rm -r "$work"
    echo "$made_of" >"$stamp"
}

# load NAME[:TAG] [ARCHIVE]
load() {
    local name=${1#localhost/} archive=${2-} own=
    [[ $name == *:* ]] || name+=:dev
    if [[ -z $archive ]]; then
        archive=$(mktemp -u -p "$run" image.XXXX)
        own=$archive
        buildah push -q "localhost/$name" "docker-archive:$archive:localhost/$name" >/dev/null
    fi
    containerd_ctl images import --base-name "localhost/${name%:*}" "$archive" >/dev/null
    [[ -z $own ]] || rm "$own"
    echo "localhost/$name"
}
