# Part of ci/cluster: Knative Eventing, with the manifests and the programs of its Go module.

# Left out: what no source, broker or trigger needs, and what asks for images that are not built here.
without='hpa|job-sink\.yaml|request-reply\.yaml'

eventing_images() {
    local file
    for file in "$cache"/bin/knative/*; do
        case ${file##*/} in
        coredns | pause) ;;
        *) program "eventing-${file##*/}:$1" "$file" knative ;;
        esac
    done
}

# Namespaces first, workloads last. Only the names of images are changed, and how soon and how often readiness is asked for.
# A module's archive has no links: two ConfigMaps that are links come from where these lead to.
eventing_manifests() {
    local folder
    folder=$(go list -C "$here/knative" -m -f '{{.Dir}}' knative.dev/eventing)
    find "$folder"/config/{core,channels/in-memory-channel,brokers/mt-channel-broker} \
        "$folder/third_party/eventing-integrations-latest" -name '*.yaml' |
        grep -Ev "$without" |
        awk '{ print (/namespace\.yaml$/ ? 0 : /\/deployments\// ? 2 : 1) "\t" $0 }' | sort | cut -f2 |
        while read -r file; do
            echo ---
            cat "$file"
        done |
        sed -E "s#ko://knative.dev/eventing/cmd/([a-z_]+/)*([a-z_]+)#localhost/eventing-\2:$1#
            /readinessProbe:/,/timeoutSeconds|livenessProbe/ s/(initialDelay|period)Seconds: .*/\1Seconds: 1/"
}

start_eventing() {
    local version
    version=$(version knative knative.dev/eventing)
    go mod download -C "$here/knative" knative.dev/eventing
    eventing_images "$version"
    # Once: later it would take back what Knative's controllers have filled in.
    if [[ ! -e $run/eventing.applied ]]; then
        eventing_manifests "$version" >"$run/eventing.yaml"
        kubectl apply --server-side --force-conflicts -f "$run/eventing.yaml" >/dev/null
        touch "$run/eventing.applied"
    fi
    kubectl --namespace knative-eventing wait deployment --all --for condition=Available --timeout 300s >/dev/null
    until_done 120 "a broker that is accepted" broker_is_accepted
}

broker_is_accepted() {
    kubectl create --dry-run=server -f - <<<'{"apiVersion": "eventing.knative.dev/v1", "kind": "Broker",
        "metadata": {"name": "any", "namespace": "default"}}'
}
