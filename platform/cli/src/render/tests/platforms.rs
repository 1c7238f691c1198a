//! What each platform makes of a bridge.

use serde_json::{Value as Json, json};

use super::{ALL, examples, mistakes, object, objects, rendered, variable};
use crate::catalogue::{Catalogue, EMBEDDED};
use crate::manifest::{Mistakes, read, read_yaml};
use crate::render::Target;
use crate::yaml;

const BRIDGE: &str = include_str!("../../../tests/fixtures/render.yaml");

/// The pods in any kind of object.
fn pods(objects: &[Json]) -> impl Iterator<Item = &Json> {
    objects.iter().map(|object| &object["spec"]["template"]["spec"]).filter(|pod| pod.is_object())
}

#[test]
fn what_is_written_can_be_read_and_is_the_same_each_time() {
    for (name, text) in examples() {
        for to in ALL {
            let documents = objects(&text, to);
            let written = yaml::documents(&documents);
            assert_eq!(written, yaml::documents(&objects(&text, to)), "{name}");
            let mut mistakes = Mistakes::default();
            let read: Vec<Json> =
                read_yaml(&written, &mut mistakes).documents.iter().map(|node| node.to_json()).collect();
            assert_eq!(mistakes.count(), 0, "{name}");
            assert_eq!(read, documents, "{name}");
        }
    }
}

#[test]
fn every_pod_meets_the_restricted_standard_and_is_probed() {
    for (name, text) in examples() {
        for to in [Target::Kubernetes, Target::Knative] {
            let objects = objects(&text, to);
            assert!(pods(&objects).count() > 0, "{name}");
            for pod in pods(&objects) {
                let security = &pod["securityContext"];
                assert_eq!(security["runAsNonRoot"], true);
                assert_eq!(security["runAsUser"], 65532);
                assert_eq!(security["seccompProfile"]["type"], "RuntimeDefault");
                assert_eq!(pod["terminationGracePeriodSeconds"], 35);
                assert_eq!(
                    (&pod["automountServiceAccountToken"], &pod["enableServiceLinks"]),
                    (&json!(false), &json!(false))
                );
                let container = &pod["containers"][0];
                let expected = json!({
                    "allowPrivilegeEscalation": false,
                    "capabilities": {"drop": ["ALL"]},
                    "readOnlyRootFilesystem": true,
                });
                assert_eq!(container["securityContext"], expected);
                for (probe, path) in [
                    ("startupProbe", "/health"),
                    ("livenessProbe", "/healthz"),
                    ("readinessProbe", "/readyz"),
                ] {
                    assert_eq!(container[probe]["httpGet"]["path"], path);
                }
            }
        }
    }
}

#[test]
fn kubernetes_has_a_deployment_for_each_and_our_broker() {
    let objects = objects(BRIDGE, Target::Kubernetes);
    let broker = object(&objects, "Deployment", "memorybroker-main");
    assert_eq!(broker["spec"]["strategy"]["type"], "Recreate");
    assert_eq!(broker["spec"]["replicas"], 1);
    assert_eq!(broker["spec"]["template"]["spec"]["containers"][0]["image"], "localhost/memory-broker:dev");
    let mounts = &broker["spec"]["template"]["spec"]["containers"][0]["volumeMounts"];
    assert_eq!(mounts[0]["mountPath"], "/etc/triggermesh");
    let document = &object(&objects, "ConfigMap", "memorybroker-main")["data"]["broker.conf"];
    let document: Json = serde_json::from_str(document.as_str().unwrap()).unwrap();
    let trigger = &document["triggers"]["large"];
    assert_eq!(trigger["target"]["url"], "http://displaytarget-show.shop.svc.cluster.local/in");
    assert_eq!(
        trigger["deliveryOptions"]["deadLetterURL"],
        "http://displaytarget-lost.shop.svc.cluster.local"
    );
    assert_eq!(document["triggers"]["outside"]["target"]["url"], "http://there.other.svc.cluster.local/in");
    let service = object(&objects, "Service", "memorybroker-main");
    assert_eq!(service["spec"]["ports"][0]["port"], 81);
    let poller = object(&objects, "Deployment", "httppollersource-poll");
    assert_eq!(*variable(poller, "K_SINK"), "http://memorybroker-main.shop.svc.cluster.local:81");
    assert_eq!(*variable(poller, "CHECKPOINT_DIR"), "/var/lib/trestle");
    object(&objects, "PersistentVolumeClaim", "httppollersource-poll-positions");
    assert!(
        !objects.iter().any(
            |object| object["kind"] == "Service" && object["metadata"]["name"] == "httppollersource-poll"
        )
    );
    // What the manifest says to a cluster.
    let queue = object(&objects, "Deployment", "awssqssource-queue");
    assert_eq!(queue["spec"]["strategy"]["type"], "RollingUpdate");
    assert!(queue["spec"]["replicas"].is_null());
    let pod = &queue["spec"]["template"]["spec"];
    assert_eq!(pod["serviceAccountName"], "awssqssource-queue");
    assert_eq!(pod["nodeSelector"], json!({"disk": "fast"}));
    assert_eq!(pod["containers"][0]["resources"], json!({"limits": {"memory": "64Mi"}}));
    assert_eq!(queue["spec"]["template"]["metadata"]["labels"]["team"], "a");
    let account = object(&objects, "ServiceAccount", "awssqssource-queue");
    assert_eq!(
        account["metadata"]["annotations"]["eks.amazonaws.com/role-arn"],
        "arn:aws:iam::123456789012:role/r"
    );
}

#[test]
fn knative_has_its_own_broker_and_tells_sources_where_to_send() {
    let (objects, notes) = rendered(BRIDGE, Target::Knative).unwrap();
    let broker = object(&objects, "Broker", "main");
    assert_eq!(broker["metadata"]["annotations"]["eventing.knative.dev/broker.class"], "Kafka");
    let to_broker = json!({"ref": {
        "apiVersion": "eventing.knative.dev/v1", "kind": "Broker", "name": "main", "namespace": "shop",
    }});
    // A queue source runs as often as one likes, a poll only once, a webhook needs a Service.
    let queue = object(&objects, "ContainerSource", "awssqssource-queue");
    assert_eq!(queue["spec"]["sink"], to_broker);
    assert_eq!(queue["spec"]["ceOverrides"], json!({"extensions": {"team": "a"}}));
    let names: Vec<&str> = queue["spec"]["template"]["spec"]["containers"][0]["env"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|entry| entry["name"].as_str())
        .collect();
    assert!(!names.contains(&"K_SINK") && !names.contains(&"K_CE_OVERRIDES"), "{names:?}");
    for name in ["httppollersource-poll", "webhooksource-hooks", "transformation-change"] {
        let binding = object(&objects, "SinkBinding", name);
        assert_eq!(binding["spec"]["sink"], to_broker, "{name}");
        let subject =
            json!({"apiVersion": "apps/v1", "kind": "Deployment", "name": name, "namespace": "shop"});
        assert_eq!(binding["spec"]["subject"], subject);
        object(&objects, "Deployment", name);
    }
    let trigger = object(&objects, "Trigger", "large");
    let service =
        |name: &str| json!({"apiVersion": "v1", "kind": "Service", "name": name, "namespace": "shop"});
    let expected = json!({
        "broker": "main",
        "filters": [
            {"exact": {"type": "a", "amount": "5"}},
            {"not": {"any": [{"prefix": {"source": "/test"}}, {"cesql": "amount > 5"}]}},
        ],
        "subscriber": {"ref": service("displaytarget-show"), "uri": "/in"},
        "delivery": {
            "retry": 3, "backoffPolicy": "linear", "backoffDelay": "PT0.5S", "timeout": "PT90S",
            "deadLetterSink": {"ref": service("displaytarget-lost")},
        },
    });
    assert_eq!(trigger["spec"], expected);
    assert_eq!(object(&objects, "Trigger", "outside")["spec"]["subscriber"]["ref"]["namespace"], "other");
    for expected in ["Trigger large: Knative has no constant", "no concurrency", "no MEMORY_BUFFER_SIZE"] {
        assert!(notes.iter().any(|note| note.contains(expected)), "no {expected} in {notes:#?}");
    }
}

#[test]
fn compose_has_a_service_for_each() {
    let text = BRIDGE.replace(
        "ref: {apiVersion: v1, kind: Service, name: there, namespace: other}\n    uri: /in",
        "uri: http://there.example.com",
    );
    let file = &objects(&text, Target::Compose)[0];
    let services = &file["services"];
    let document: Json =
        serde_json::from_str(services["main"]["environment"]["BROKER_CONFIG"].as_str().unwrap()).unwrap();
    assert_eq!(document["triggers"]["large"]["target"]["url"], "http://show:8080/in");
    assert_eq!(services["hooks"]["environment"]["K_SINK"], "http://main:8080");
    assert_eq!(services["hooks"]["depends_on"], json!(["main"]));
    let ports: Vec<&Json> = ["hooks", "main", "show"].iter().map(|name| &services[*name]["ports"]).collect();
    assert_eq!(ports, [&json!(["8080:8080"]), &json!(["127.0.0.1:8081:8080"]), &Json::Null]);
    assert_eq!(
        services["change"]["environment"]["TRANSFORMATION_DATA"].as_str().unwrap().matches("$$id").count(),
        2
    );
    assert!(services["show"]["healthcheck"].is_null());
    assert_eq!(services["poll"]["volumes"], json!(["poll-positions:/var/lib/trestle"]));
    assert_eq!(file["volumes"], json!({"poll-positions": null}));
}

#[test]
fn what_is_outside_of_the_file_may_be_in_a_cluster() {
    let sink = |reference: &str| {
        format!(
            "apiVersion: sources.triggermesh.io/v1alpha1\nkind: WebhookSource\nmetadata: {{name: h}}\nspec:\n  \
             eventType: a\n  sink: {{ref: {reference}}}\n"
        )
    };
    let service = sink("{apiVersion: v1, kind: Service, name: x}");
    let objects = objects(&service, Target::Kubernetes);
    let deployment = object(&objects, "Deployment", "webhooksource-h");
    assert_eq!(*variable(deployment, "K_SINK"), "http://x.default.svc.cluster.local");
    let broker = sink("{apiVersion: eventing.knative.dev/v1, kind: Broker, name: x}");
    let ours = sink("{apiVersion: targets.triggermesh.io/v1alpha1, kind: HTTPTarget, name: x}");
    for (text, expected) in
        [(&service, [true, true, false]), (&broker, [false, true, false]), (&ours, [false; 3])]
    {
        for (to, is_good) in ALL.into_iter().zip(expected) {
            assert_eq!(rendered(text, to).is_ok(), is_good, "{text}");
        }
    }
}

#[test]
fn mistakes_are_those_of_lint() {
    let catalogue = Catalogue::parse(EMBEDDED).unwrap();
    let folder = super::root().join("platform/cli/tests/fixtures");
    let mut count = 0;
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with("mistakes") && name.ends_with(".yaml") && !name.contains("test") {
            let text = std::fs::read_to_string(entry.path()).unwrap();
            let reading = read(&text, &catalogue, &|_| Some("x".to_owned()));
            let expected: Vec<String> =
                reading.mistakes.iter().map(|mistake| mistake.render("b.yaml")).collect();
            assert_eq!(mistakes(&text, Target::Compose), expected, "{name}");
            count += expected.len();
        }
    }
    assert!(count > 50, "{count}");
}
