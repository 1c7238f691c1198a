//! Where events go, and what the variables say.

use kit::ensure;
use serde_json::{Value, json};

use crate::{Outcome, Trials, helm};

pub const TRIALS: Trials = &[
    ("sinks in plain Kubernetes", plain),
    ("sinks of Knative", knative),
    ("values as variables", variables),
    ("files of a broker, and HTTPS", files),
    ("images", images),
    ("what stands in defaults", defaults),
];

const SINKS: &str = "\
adapters:
- {name: a, kind: ping-source, sink: 'https://example.com/x?y=z'}
- {name: b, kind: ping-source, sink: {uri: 'http://example.com'}, ceOverrides: {extensions: {team: shop}}}
- {name: c, kind: ping-source, sink: {adapter: d}, deadLetterSink: {adapter: e}}
- {name: d, kind: display-target}
- {name: e, kind: display-target, tls: {secretName: cert}, service: {port: 8443}}
- {name: f, kind: ping-source, sink: {ref: {kind: Service, name: other, namespace: elsewhere}, uri: /path}}
- {name: g, kind: transformation, sink: {adapter: e}}
";

fn plain() -> Outcome {
    let rendered = helm::render(&helm::values(SINKS)?)?;
    rendered.is_valid()?;
    for (name, variable, expected) in [
        ("a", "K_SINK", "https://example.com/x?y=z"),
        ("b", "K_SINK", "http://example.com"),
        ("b", "K_CE_OVERRIDES", r#"{"extensions":{"team":"shop"}}"#),
        ("c", "K_SINK", "http://demo-d.events.svc.cluster.local"),
        ("c", "DEAD_LETTER_SINK", "https://demo-e.events.svc.cluster.local:8443"),
        ("f", "K_SINK", "http://other.elsewhere.svc.cluster.local/path"),
        ("g", "K_SINK", "https://demo-e.events.svc.cluster.local:8443"),
    ] {
        let found = helm::variable(rendered.container("Deployment", &format!("demo-{name}"))?, variable);
        ensure(found["value"] == expected, || format!("{name}: {found}"))?;
    }
    Ok(())
}

fn knative() -> Outcome {
    let mut values = helm::values(SINKS)?;
    values["mode"] = "SinkBinding".into();
    values["adapters"][0]["sink"] = json!({"ref": {"apiVersion": "eventing.knative.dev/v1", "kind": "Broker", "name": "default"}, "audience": "us"});
    let rendered = helm::render(&values)?;
    rendered.is_valid()?;
    let of = |name: &str| rendered.object("SinkBinding", name).map(|binding| binding["spec"].clone());
    let broker = of("demo-a")?;
    let wanted = json!({"apiVersion": "eventing.knative.dev/v1", "kind": "Broker", "name": "default"});
    ensure(broker["sink"] == json!({"ref": wanted, "audience": "us"}), || format!("{broker:#}"))?;
    let subject = json!({"apiVersion": "apps/v1", "kind": "Deployment", "name": "demo-a"});
    ensure(broker["subject"] == subject, || format!("{broker:#}"))?;
    let overrides = of("demo-b")?;
    ensure(overrides["ceOverrides"]["extensions"]["team"] == "shop", || format!("{overrides:#}"))?;
    let adapter = of("demo-c")?;
    ensure(adapter["sink"]["uri"] == "http://demo-d.events.svc.cluster.local", || format!("{adapter:#}"))?;
    let service = of("demo-f")?;
    ensure(service["sink"]["ref"]["apiVersion"] == "v1" && service["sink"]["uri"] == "/path", || {
        format!("{service:#}")
    })?;
    for (name, pod) in rendered.pods() {
        let container = &pod["spec"]["containers"][0];
        for injected in ["K_SINK", "K_CE_OVERRIDES"] {
            ensure(helm::variable(container, injected).is_null(), || {
                format!("{name} sets {injected} itself")
            })?;
        }
    }
    Ok(())
}

fn variables() -> Outcome {
    let values = helm::values(
        "adapters:\n\
         - name: a\n\
         \x20 kind: transformation\n\
         \x20 config:\n\
         \x20   MAX_EVENT_BYTES: 1073741824\n\
         \x20   DRAIN_SECONDS: 0\n\
         \x20   USE_PROXY: false\n\
         \x20   TRANSFORMATION_CONTEXT: '[]'\n\
         \x20   TRANSFORMATION_DATA: [{operation: add, paths: [{key: 'a<b', value: '$(NAME) $$ ü'}]}]\n\
         \x20   OTEL_RESOURCE_ATTRIBUTES: 'a=$b'\n\
         \x20 env: [{name: HTTPS_PROXY, value: 'http://proxy:3128'}]\n",
    )?;
    let rendered = helm::render(&values)?;
    rendered.is_valid()?;
    let container = rendered.container("Deployment", "demo-a")?;
    for (name, expected) in [
        ("MAX_EVENT_BYTES", "1073741824"),
        ("DRAIN_SECONDS", "0"),
        ("USE_PROXY", "false"),
        ("TRANSFORMATION_CONTEXT", "[]"),
        // Kubernetes makes one dollar sign of two, and replaces nothing then.
        ("TRANSFORMATION_DATA", r#"[{"operation":"add","paths":[{"key":"a<b","value":"$$(NAME) $$$$ ü"}]}]"#),
        ("OTEL_RESOURCE_ATTRIBUTES", "a=$b"),
        ("HTTPS_PROXY", "http://proxy:3128"),
        ("NAME", "a"),
    ] {
        let found = &helm::variable(container, name)["value"];
        ensure(found == expected, || format!("{name}: {found}"))?;
    }
    let namespace = &helm::variable(container, "NAMESPACE")["valueFrom"]["fieldRef"]["fieldPath"];
    ensure(namespace == "metadata.namespace", || format!("{namespace}"))
}

fn files() -> Outcome {
    let values = helm::values(
        "adapters:\n\
         - name: a\n\
         \x20 kind: memory-broker\n\
         \x20 files: {mountPath: /etc/triggermesh, data: {broker.conf: 'triggers: {}'}}\n\
         \x20 tls: {secretName: cert}\n\
         \x20 service: {type: LoadBalancer, annotations: {a: b}}\n",
    )?;
    let rendered = helm::render(&values)?;
    rendered.is_valid()?;
    let text = &rendered.object("ConfigMap", "demo-a-files")?["data"]["broker.conf"];
    ensure(text == "triggers: {}", || format!("{text}"))?;
    let container = rendered.container("Deployment", "demo-a")?;
    ensure(helm::variable(container, "BROKER_NAME")["value"] == "a", || format!("{container:#}"))?;
    let mounts: Vec<_> = container["volumeMounts"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|mount| mount["mountPath"].clone())
        .collect();
    ensure(mounts.contains(&json!("/etc/triggermesh")), || format!("{mounts:?}"))?;
    ensure(container["readinessProbe"]["httpGet"]["scheme"] == "HTTPS", || format!("{container:#}"))?;
    let file = &helm::variable(container, "TLS_CERT_FILE")["value"];
    ensure(file == "/etc/trestle/tls/tls.crt", || format!("{file}"))?;
    // What the whole world can reach has no metrics.
    let outside = &rendered.object("Service", "demo-a")?["spec"];
    let ports = outside["ports"].as_array().map_or(0, Vec::len);
    ensure(outside["type"] == "LoadBalancer" && ports == 1 && outside["ports"][0]["port"] == 443, || {
        format!("{outside:#}")
    })?;
    let inside = &rendered.object("Service", "demo-a-metrics")?["spec"];
    ensure(inside["ports"][0]["targetPort"] == "metrics", || format!("{inside:#}"))
}

fn images() -> Outcome {
    let values = helm::values(
        "image: {registry: localhost, tag: dev, pullPolicy: Never, pullSecrets: [{name: s}]}\n\
         adapters:\n\
         - {name: a, kind: display-target}\n\
         - {name: b, kind: display-target, image: {repository: mine/display, tag: 'sha256:0a'}}\n",
    )?;
    let rendered = helm::render(&values)?;
    rendered.is_valid()?;
    for (name, image) in [("demo-a", "localhost/display-target:dev"), ("demo-b", "mine/display@sha256:0a")] {
        let container = rendered.container("Deployment", name)?;
        ensure(container["image"] == image && container["imagePullPolicy"] == "Never", || {
            format!("{container:#}")
        })?;
    }
    let released = helm::render(&helm::values("adapters: [{name: a, kind: display-target}]")?)?;
    let image = &released.container("Deployment", "demo-a")?["image"];
    ensure(image == concat!("ghcr.io/trestle-events/display-target:", env!("CARGO_PKG_VERSION")), || {
        format!("{image}")
    })
}

fn defaults() -> Outcome {
    let values = helm::values(
        "defaults:\n\
         \x20 config: {LOG_LEVEL: warn, MAX_CONNECTIONS: 10}\n\
         \x20 sink: {adapter: b}\n\
         \x20 nodeSelector: {disk: fast}\n\
         \x20 resources: {limits: {memory: 1Gi}}\n\
         commonLabels: {team: shop}\n\
         adapters:\n\
         - {name: a, kind: ping-source, config: {LOG_LEVEL: debug}, labels: {team: own}}\n\
         - {name: b, kind: display-target}\n",
    )?;
    let rendered = helm::render(&values)?;
    rendered.is_valid()?;
    let container = rendered.container("Deployment", "demo-a")?;
    let of = |name: &str| helm::variable(container, name)["value"].clone();
    ensure(of("LOG_LEVEL") == "debug" && of("MAX_CONNECTIONS") == "10", || format!("{container:#}"))?;
    ensure(of("K_SINK") == "http://demo-b.events.svc.cluster.local", || format!("{container:#}"))?;
    ensure(container["resources"]["limits"]["memory"] == "1Gi", || format!("{container:#}"))?;
    let template = &rendered.object("Deployment", "demo-a")?["spec"]["template"];
    ensure(template["spec"]["nodeSelector"]["disk"] == "fast", || format!("{template:#}"))?;
    ensure(template["metadata"]["labels"]["team"] == "own", || format!("{template:#}"))?;
    let unlabelled = |object: &&Value| object["metadata"]["labels"]["team"] != "shop";
    ensure(!rendered.objects.iter().any(|object| unlabelled(&object)), || {
        "an object without the label".to_owned()
    })
}
