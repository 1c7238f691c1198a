//! How many run, how they are replaced, and what KEDA is told.

use std::fs;

use kit::ensure;
use peers::install;
use serde_json::{Value, json};

use crate::{Outcome, Trials, catalogue, helm};

pub const TRIALS: Trials = &[
    ("what can only be one", single),
    ("positions in files", positions),
    ("SQS", sqs),
    ("Kafka", kafka),
    ("Pub/Sub", pubsub),
    ("Event Hubs", event_hubs),
    ("a trigger that values change", changed),
];

fn single() -> Outcome {
    let rendered = helm::render(&catalogue::everything()?)?;
    let mut ones = 0;
    for description in catalogue::descriptions()? {
        let name = format!("demo-{}", description["name"].as_str().unwrap_or_default());
        let one = description["scaling"] == "single";
        ones += usize::from(one);
        let spec = &rendered.object("Deployment", &name)?["spec"];
        let strategy = if one { "Recreate" } else { "RollingUpdate" };
        ensure(spec["strategy"]["type"] == strategy, || format!("{name}: {}", spec["strategy"]))?;
        ensure(rendered.has("PodDisruptionBudget", &name) != one, || format!("{name}: its budget"))?;
        let scaled = rendered.has("ScaledObject", &name);
        ensure(spec["replicas"] == if scaled { Value::Null } else { json!(1) }, || {
            format!("{name}: replicas")
        })?;
    }
    ensure(ones > 1, || "nothing is single".to_owned())
}

fn positions() -> Outcome {
    let values = helm::values(
        "adapters:\n\
         - &hub {name: files, kind: azure-eventhubs-source, sink: 'http://a', config: {EVENTHUB_NAME: a}}\n\
         - {<<: *hub, name: short, persistence: {type: emptyDir}}\n\
         - {<<: *hub, name: mine, persistence: {existingClaim: mine}}\n\
         - {<<: *hub, name: store, secretRefs: {CHECKPOINT_URL: {name: a, key: b}}, replicas: 3}\n\
         - {name: log, kind: kafka-source, sink: 'http://a', config: {TOPIC: a, GROUP_ID: b, BOOTSTRAP_SERVERS: 'c:1'}, replicas: 3}\n",
    )?;
    let rendered = helm::render(&values)?;
    rendered.is_valid()?;
    for (name, volume) in [
        ("files", json!({"persistentVolumeClaim": {"claimName": "demo-files-positions"}})),
        ("short", json!({"emptyDir": {"sizeLimit": "64Mi"}})),
        ("mine", json!({"persistentVolumeClaim": {"claimName": "mine"}})),
        ("store", Value::Null),
        ("log", Value::Null),
    ] {
        let object = format!("demo-{name}");
        let deployment = rendered.object("Deployment", &object)?;
        let mut found = deployment["spec"]["template"]["spec"]["volumes"][0].clone();
        if let Some(found) = found.as_object_mut() {
            found.remove("name");
        }
        ensure(found == volume, || format!("{name}: {found}"))?;
        let folder = helm::variable(rendered.container("Deployment", &object)?, "CHECKPOINT_DIR");
        ensure(folder.is_object() == volume.is_object(), || format!("{name}: CHECKPOINT_DIR"))?;
        let one = deployment["spec"]["strategy"]["type"] == "Recreate";
        ensure(one == volume.is_object(), || format!("{name}: {}", deployment["spec"]["strategy"]))?;
        ensure(
            rendered.has("PersistentVolumeClaim", &format!("{object}-positions")) == (name == "files"),
            || format!("{name}: its claim"),
        )?;
    }
    Ok(())
}

/// The trigger and the authentication of the only adapter, which is written with these lines.
fn scaled(adapter: &str) -> Result<(Value, Value), kit::Failure> {
    let mut values = helm::values(&format!("adapters: [{{name: a, sink: 'http://a', {adapter}}}]"))?;
    values["adapters"][0]["keda"]["enabled"] = true.into();
    let rendered = helm::render(&values)?;
    rendered.is_valid()?;
    let object = rendered.object("ScaledObject", "demo-a")?;
    ensure(object["spec"]["scaleTargetRef"]["name"] == "demo-a", || format!("{object:#}"))?;
    let authentication =
        rendered.object("TriggerAuthentication", "demo-a").map(|object| object["spec"].clone());
    let (trigger, authentication) =
        (object["spec"]["triggers"][0].clone(), authentication.unwrap_or_default());
    known(&trigger, &authentication)?;
    Ok((trigger, authentication))
}

/// That KEDA's own source reads what it is told, which no schema says: a trigger's metadata are any texts.
fn known(trigger: &Value, authentication: &Value) -> Outcome {
    let files = match trigger["type"].as_str() {
        Some("aws-sqs-queue") => {
            &["aws_sqs_queue_scaler.go", "aws/aws_authorization.go", "aws/aws_common.go"][..]
        }
        Some("kafka") => &["kafka_scaler.go"],
        Some("gcp-pubsub") => &["gcp_pubsub_scaler.go", "gcp/gcp_common.go"],
        Some("azure-eventhub") => &["azure_eventhub_scaler.go", "azure/azure_eventhub.go"],
        other => return Err(format!("no scaler {other:?}")),
    };
    let (module, version) = helm::KEDA;
    let folder = install::go_source(module, version)?.join("pkg/scalers");
    let mut source = String::new();
    for file in files {
        let text = fs::read_to_string(folder.join(file)).map_err(|error| format!("{file}: {error}"))?;
        source.push_str(&text);
    }
    let metadata = trigger["metadata"].as_object().into_iter().flat_map(|metadata| metadata.keys());
    let parameters = ["secretTargetRef", "env"]
        .into_iter()
        .flat_map(|part| authentication[part].as_array().into_iter().flatten())
        .filter_map(|parameter| parameter["parameter"].as_str());
    for name in metadata.map(String::as_str).chain(parameters) {
        let read =
            [format!("name={name},"), format!("[\"{name}\"]")].iter().any(|form| source.contains(form));
        ensure(read, || format!("KEDA reads no {name} for {}", trigger["type"]))?;
    }
    Ok(())
}

/// That these members have these values.
fn has(found: &Value, expected: &Value) -> Outcome {
    for (name, value) in expected.as_object().into_iter().flatten() {
        ensure(&found[name] == value, || format!("{name} is not {value}: {found:#}"))?;
    }
    Ok(())
}

fn sqs() -> Outcome {
    let queue = "kind: aws-sqs-source, config: {ARN: 'arn:aws:sqs:eu-west-1:123456789012:orders.fifo'";
    let (trigger, authentication) = scaled(&format!("{queue}}}"))?;
    ensure(trigger["type"] == "aws-sqs-queue", || format!("{trigger:#}"))?;
    let url = "https://sqs.eu-west-1.amazonaws.com/123456789012/orders.fifo";
    has(&trigger["metadata"], &json!({"queueURL": url, "awsRegion": "eu-west-1", "queueLength": "100"}))?;
    has(&authentication, &json!({"podIdentity": {"provider": "aws"}, "secretTargetRef": null}))?;
    has(&trigger["authenticationRef"], &json!({"name": "demo-a"}))?;
    let role = "serviceAccount: {annotations: {eks.amazonaws.com/role-arn: 'arn:aws:iam::1:role/a'}}";
    let (_, authentication) = scaled(&format!("{queue}}}, {role}"))?;
    has(&authentication, &json!({"podIdentity": {"provider": "aws", "identityOwner": "workload"}}))?;

    let secrets =
        "secretRefs: {AWS_ACCESS_KEY_ID: {name: s, key: id}, AWS_SECRET_ACCESS_KEY: {name: s, key: secret}}";
    let endpoint = "AWS_ENDPOINT_URL: 'http://queues:9324/'";
    let (trigger, authentication) = scaled(&format!("{queue}, {endpoint}}}, {secrets}"))?;
    has(
        &trigger["metadata"],
        &json!({"queueURL": "http://queues:9324/123456789012/orders.fifo", "awsEndpoint": "http://queues:9324/"}),
    )?;
    let refs = json!([
        {"parameter": "awsAccessKeyID", "name": "s", "key": "id"},
        {"parameter": "awsSecretAccessKey", "name": "s", "key": "secret"},
    ]);
    has(&authentication, &json!({"podIdentity": null, "secretTargetRef": refs}))
}

fn kafka() -> Outcome {
    let log =
        "kind: kafka-source, config: {TOPIC: orders, GROUP_ID: shop, BOOTSTRAP_SERVERS: 'a:9092,b:9092'";
    let (trigger, authentication) = scaled(&format!("{log}}}, keda: {{threshold: 7}}"))?;
    let plain = json!({
        "bootstrapServers": "a:9092,b:9092", "consumerGroup": "shop", "topic": "orders", "lagThreshold": "7",
        "offsetResetPolicy": "latest", "sasl": "none", "tls": "disable",
    });
    has(&trigger["metadata"], &plain)?;
    ensure(authentication.is_null() && trigger.get("authenticationRef").is_none(), || {
        format!("{trigger:#}")
    })?;

    let secure = "SASL_ENABLE: true, SECURITY_MECHANISMS: SCRAM-SHA-512, USERNAME: u, TLS_ENABLE: 'true', START_POSITION: earliest";
    let secrets = "secretFiles: {PASSWORD: {name: s, key: password}}, secretRefs: {CA: {name: s, key: ca}}";
    let (trigger, authentication) = scaled(&format!("{log}, {secure}}}, {secrets}"))?;
    has(
        &trigger["metadata"],
        &json!({"offsetResetPolicy": "earliest", "sasl": "scram_sha512", "tls": "enable"}),
    )?;
    let refs = json!([
        {"parameter": "ca", "name": "s", "key": "ca"},
        {"parameter": "password", "name": "s", "key": "password"},
    ]);
    let variables = json!([{"parameter": "username", "name": "USERNAME", "containerName": "adapter"}]);
    has(&authentication, &json!({"secretTargetRef": refs, "env": variables}))
}

fn pubsub() -> Outcome {
    let kind = "kind: google-cloud-pubsub-source, config: {GCLOUD_PUBSUB_SUBSCRIPTION";
    for subscription in ["'projects/p/subscriptions/s'", "s, GCLOUD_PUBSUB_PROJECT: p"] {
        let (trigger, authentication) = scaled(&format!("{kind}: {subscription}}}"))?;
        ensure(trigger["type"] == "gcp-pubsub", || format!("{trigger:#}"))?;
        has(
            &trigger["metadata"],
            &json!({"subscriptionName": "projects/p/subscriptions/s", "value": "100"}),
        )?;
        has(&authentication, &json!({"podIdentity": {"provider": "gcp"}}))?;
    }
    let secret = "secretRefs: {GCLOUD_SERVICEACCOUNT_KEY: {name: s, key: k}}";
    let (_, authentication) = scaled(&format!("{kind}: projects/p/subscriptions/s}}, {secret}"))?;
    let refs = json!([{"parameter": "GoogleApplicationCredentials", "name": "s", "key": "k"}]);
    has(&authentication, &json!({"podIdentity": null, "secretTargetRef": refs}))
}

fn event_hubs() -> Outcome {
    let id = "/subscriptions/S/resourceGroups/RG/providers/Microsoft.EventHub/namespaces/NS";
    let hub = format!(
        "kind: azure-eventhubs-source, config: {{EVENTHUB_RESOURCE_ID: {id}/eventhubs/HUB, \
         CHECKPOINT_URL: 'https://account.blob.core.windows.net/positions'}}"
    );
    let (trigger, authentication) = scaled(&hub)?;
    let made = json!({
        "eventHubNamespace": "NS", "eventHubName": "HUB", "consumerGroup": "$Default", "checkpointStrategy": "blobMetadata",
        "storageAccountName": "account", "blobContainer": "positions", "unprocessedEventThreshold": "100",
    });
    has(&trigger["metadata"], &made)?;
    has(&authentication, &json!({"podIdentity": {"provider": "azure-workload"}}))?;
    let client = "serviceAccount: {annotations: {azure.workload.identity/client-id: me}}";
    let (_, authentication) = scaled(&format!("{hub}, {client}"))?;
    has(&authentication, &json!({"podIdentity": {"provider": "azure-workload", "identityId": "me"}}))?;

    let (trigger, authentication) = scaled(&format!(
        "kind: azure-eventhubs-source, config: {{EVENTHUB_NAMESPACE_ID: {id}, EVENTHUB_NAME: HUB}}, \
         secretRefs: {{CHECKPOINT_URL: {{name: s, key: u}}, EVENTHUB_CONNECTION_STRING: {{name: s, key: c}}}}, \
         keda: {{metadata: {{blobContainer: box}}, secretTargetRef: [{{parameter: storageConnection, name: s, key: b}}]}}"
    ))?;
    has(
        &trigger["metadata"],
        &json!({"eventHubNamespace": "NS", "eventHubName": "HUB", "blobContainer": "box"}),
    )?;
    let refs = json!([
        {"parameter": "storageConnection", "name": "s", "key": "b"},
        {"parameter": "connection", "name": "s", "key": "c"},
    ]);
    has(&authentication, &json!({"podIdentity": null, "secretTargetRef": refs}))
}

fn changed() -> Outcome {
    let (trigger, authentication) = scaled(
        "kind: aws-sqs-source, config: {ARN: 'arn:aws:sqs:eu-west-1:1:q'}, \
         keda: {metadata: {scaleOnInFlight: 'false'}, authenticationRef: {name: all, kind: ClusterTriggerAuthentication}}",
    )?;
    has(&trigger["metadata"], &json!({"scaleOnInFlight": "false", "queueLength": "100"}))?;
    has(&trigger["authenticationRef"], &json!({"name": "all", "kind": "ClusterTriggerAuthentication"}))?;
    ensure(authentication.is_null(), || format!("{authentication:#}"))
}
