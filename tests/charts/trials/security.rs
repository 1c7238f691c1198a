//! The restricted Pod Security Standard (https://kubernetes.io/docs/concepts/security/pod-security-standards), identities,
//! secrets and networks.

use kit::{Failure, ensure};
use serde_json::{Value, json};

use crate::{Outcome, Trials, catalogue, helm};

pub const TRIALS: Trials = &[
    ("the restricted standard in every mode", restricted),
    ("probes, grace and resources of every adapter", life),
    ("identities of clouds", identities),
    ("secrets", secrets),
    ("networks", networks),
];

/// Volumes that the standard allows.
const VOLUMES: [&str; 8] = [
    "configMap",
    "csi",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "persistentVolumeClaim",
    "projected",
    "secret",
];

fn each_pod(check: impl Fn(&str, &Value) -> Outcome) -> Outcome {
    for mode in ["Deployment", "ContainerSource", "SinkBinding"] {
        let mut values = catalogue::everything()?;
        values["mode"] = mode.into();
        let rendered = helm::render(&values)?;
        let count = values["adapters"].as_array().map_or(0, Vec::len);
        ensure(rendered.pods().count() == count, || format!("{mode}: not {count} pods"))?;
        for (name, pod) in rendered.pods() {
            check(name, &pod["spec"]).map_err(|failure| format!("{mode}: {name}: {failure}"))?;
        }
    }
    Ok(())
}

fn restricted() -> Outcome {
    each_pod(|_, spec| {
        for host in ["hostNetwork", "hostPID", "hostIPC"] {
            ensure(spec.get(host).is_none(), || host.to_owned())?;
        }
        let context = &spec["securityContext"];
        ensure(context["runAsNonRoot"] == true && context["runAsUser"] == 65532, || format!("{context:#}"))?;
        ensure(context["seccompProfile"]["type"] == "RuntimeDefault", || format!("{context:#}"))?;
        ensure(spec["automountServiceAccountToken"] == false, || "the account's token is there".to_owned())?;
        for volume in spec["volumes"].as_array().into_iter().flatten() {
            let kinds =
                volume.as_object().into_iter().flat_map(|volume| volume.keys()).filter(|key| *key != "name");
            for kind in kinds {
                ensure(VOLUMES.contains(&kind.as_str()), || format!("a volume is a {kind}"))?;
            }
        }
        for container in spec["containers"].as_array().into_iter().flatten() {
            let context = &container["securityContext"];
            let restricted = context["allowPrivilegeEscalation"] == false
                && context["readOnlyRootFilesystem"] == true
                && context["runAsNonRoot"] == true
                && context["capabilities"] == json!({"drop": ["ALL"]})
                && context.get("privileged").is_none();
            ensure(restricted, || format!("{context:#}"))?;
            let ports = container["ports"].as_array().into_iter().flatten();
            ensure(ports.clone().all(|port| port.get("hostPort").is_none()), || {
                "a port of the host".to_owned()
            })?;
        }
        Ok(())
    })
}

fn life() -> Outcome {
    each_pod(|_, spec| {
        ensure(spec["terminationGracePeriodSeconds"] == 35, || "its grace".to_owned())?;
        let container = &spec["containers"][0];
        for (probe, path) in
            [("startupProbe", "/health"), ("livenessProbe", "/healthz"), ("readinessProbe", "/readyz")]
        {
            let found = &container[probe]["httpGet"];
            let right = found["path"] == path && found["port"] == "http" && found["scheme"] == "HTTP";
            ensure(right, || format!("{probe}: {found}"))?;
        }
        let memory = &container["resources"]["limits"]["memory"];
        ensure(memory == "128Mi" && container["resources"]["limits"].get("cpu").is_none(), || {
            format!("{memory}")
        })
    })?;
    let values = helm::values("adapters: [{name: a, kind: display-target, config: {DRAIN_SECONDS: 60}}]")?;
    let rendered = helm::render(&values)?;
    let grace = &rendered.object("Deployment", "demo-a")?["spec"]["template"]["spec"]["terminationGracePeriodSeconds"];
    ensure(grace == 90, || format!("{grace}"))
}

fn identities() -> Outcome {
    let values = helm::values(
        "serviceAccount: {annotations: {eks.amazonaws.com/role-arn: 'arn:aws:iam::1:role/all'}}\n\
         adapters:\n\
         - {name: a, kind: display-target}\n\
         - {name: b, kind: display-target, serviceAccount: {annotations: {azure.workload.identity/client-id: id}}}\n\
         - {name: c, kind: display-target, serviceAccount: {annotations: {iam.gke.io/gcp-service-account: 'a@b'}}}\n\
         - {name: d, kind: display-target, serviceAccount: {create: false, name: theirs}}\n",
    )?;
    let rendered = helm::render(&values)?;
    rendered.is_valid()?;
    for (name, account, annotation) in [
        ("a", "demo-adapters", Some("eks.amazonaws.com/role-arn")),
        ("b", "demo-b", Some("azure.workload.identity/client-id")),
        ("c", "demo-c", Some("iam.gke.io/gcp-service-account")),
        ("d", "theirs", None),
    ] {
        let template = &rendered.object("Deployment", &format!("demo-{name}"))?["spec"]["template"];
        let found = &template["spec"]["serviceAccountName"];
        ensure(found == account, || format!("{name}: {found}"))?;
        let labelled = template["metadata"]["labels"]["azure.workload.identity/use"] == "true";
        ensure(labelled == (name == "b"), || format!("{name}: {template:#}"))?;
        match annotation {
            Some(annotation) => {
                let annotations = &rendered.object("ServiceAccount", account)?["metadata"]["annotations"];
                ensure(annotations[annotation].is_string(), || format!("{name}: {annotations}"))?;
            }
            None => ensure(!rendered.has("ServiceAccount", account), || format!("{account} is made"))?,
        }
    }
    Ok(())
}

fn secrets() -> Outcome {
    let values = helm::values(
        "adapters:\n\
         - name: a\n\
         \x20 kind: slack-target\n\
         \x20 secretFiles: {SLACK_TOKEN: {name: slack, key: bot}}\n\
         \x20 secretRefs: {OTEL_EXPORTER_OTLP_HEADERS: {name: otel, key: headers}}\n\
         - {name: b, kind: slack-target, config: {SLACK_TOKEN: inline}}\n",
    )?;
    let rendered = helm::render(&values)?;
    rendered.is_valid()?;
    let container = rendered.container("Deployment", "demo-a")?;
    let file = &helm::variable(container, "SLACK_TOKEN_FILE")["value"];
    ensure(file == "/etc/trestle/secrets/SLACK_TOKEN", || format!("{container:#}"))?;
    let reference = &helm::variable(container, "OTEL_EXPORTER_OTLP_HEADERS")["valueFrom"]["secretKeyRef"];
    ensure(reference == &json!({"name": "otel", "key": "headers"}), || format!("{container:#}"))?;
    let volume = &rendered.object("Deployment", "demo-a")?["spec"]["template"]["spec"]["volumes"][0];
    let item = json!({"name": "slack", "items": [{"key": "bot", "path": "SLACK_TOKEN"}]});
    ensure(volume["projected"]["sources"][0]["secret"] == item, || format!("{volume:#}"))?;
    // It is taken, and not in silence.
    let told: Vec<_> = rendered.notes.lines().filter(|line| line.contains("is a secret")).collect();
    ensure(told.len() == 1 && !rendered.notes.contains("inline"), || rendered.notes.clone())
}

fn networks() -> Outcome {
    let values = helm::values(
        "defaults: {networkPolicy: {enabled: true, metricsFrom: [{namespaceSelector: {}}]}}\n\
         adapters:\n\
         - {name: a, kind: ping-source, sink: 'http://a'}\n\
         - {name: b, kind: webhook-source, sink: 'http://a', config: {WEBHOOK_EVENT_TYPE: a, WEBHOOK_EVENT_SOURCE: b},\n\
         \x20  networkPolicy: {from: [{ipBlock: {cidr: 10.0.0.0/8}}], egress: [{to: [{podSelector: {}}]}]}}\n",
    )?;
    let rendered = helm::render(&values)?;
    rendered.is_valid()?;
    let rules = |name: &str| -> Result<Value, Failure> {
        Ok(rendered.object("NetworkPolicy", name)?["spec"].clone())
    };
    let ping = rules("demo-a")?;
    let from = json!([{"namespaceSelector": {}}]);
    let metrics = json!({"ports": [{"port": "metrics", "protocol": "TCP"}], "from": from});
    ensure(ping["ingress"] == json!([metrics]) && ping["policyTypes"] == json!(["Ingress"]), || {
        format!("{ping:#}")
    })?;
    let webhook = rules("demo-b")?;
    ensure(webhook["ingress"][0]["ports"][0]["port"] == "http", || format!("{webhook:#}"))?;
    ensure(webhook["ingress"][0]["from"][0]["ipBlock"]["cidr"] == "10.0.0.0/8", || format!("{webhook:#}"))?;
    let out = webhook["egress"].as_array().map_or(0, Vec::len);
    ensure(out == 2 && webhook["policyTypes"] == json!(["Ingress", "Egress"]), || format!("{webhook:#}"))
}
