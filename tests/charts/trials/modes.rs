//! Every adapter in every mode.

use kit::{Failure, Folder, ensure};
use serde_json::{Value, json};

use crate::{Outcome, Trials, catalogue, helm};

pub const TRIALS: Trials = &[
    ("every adapter as Deployment", || everything("Deployment")),
    ("every adapter as ContainerSource", || everything("ContainerSource")),
    ("every adapter as SinkBinding", || everything("SinkBinding")),
    ("lint finds nothing", lint),
    ("nothing at all", nothing),
    ("a mode of its own", own),
    ("every default and every example of an adapter is a value", samples),
    ("the archive holds what the templates read", archive),
];

fn everything(mode: &str) -> Outcome {
    let mut values = catalogue::everything()?;
    values["mode"] = mode.into();
    let rendered = helm::render(&values)?;
    rendered.is_valid()?;
    for description in catalogue::descriptions()? {
        let name = description["name"].as_str().unwrap_or_default();
        let object = format!("demo-{name}");
        rendered.object("Service", &object)?;
        rendered.object("NetworkPolicy", &object)?;
        ensure(rendered.notes.contains(&format!("{name} ({name}, ")), || rendered.notes.clone())?;
        let source = description["role"] == "source";
        let runs = |kind| rendered.has(kind, &object);
        let container_source = runs("ContainerSource");
        let expected = source && mode == "ContainerSource" && !needs_deployment(&values, &description);
        ensure(container_source == expected, || format!("{name}: ContainerSource: {container_source}"))?;
        ensure(runs("Deployment") != expected, || format!("{name}: Deployment"))?;
        let bound = source && mode != "Deployment" && !expected;
        ensure(runs("SinkBinding") == bound, || format!("{name}: SinkBinding"))?;
        let kind = if expected { "ContainerSource" } else { "Deployment" };
        let sink = helm::variable(rendered.container(kind, &object)?, "K_SINK");
        ensure(sink.is_object() == (source && mode == "Deployment"), || format!("{name}: {sink}"))?;
    }
    Ok(())
}

/// Whether replicas or their strategy matter, neither of which a ContainerSource has.
fn needs_deployment(values: &Value, description: &Value) -> bool {
    let scaled = values["adapters"].as_array().into_iter().flatten();
    let scaled =
        scaled.filter(|one| one["keda"]["enabled"] == true).any(|one| one["kind"] == description["name"]);
    scaled || description["scaling"] == "single" || description["shape"] == "poll-source"
}

fn lint() -> Outcome {
    for values in [json!({}), catalogue::everything()?] {
        let found = peers::helm::lint(&helm::chart(), &values)?;
        ensure(found == json!([]), || format!("{found:#}"))?;
    }
    let found = peers::helm::lint(&helm::root().join("charts/trestle-crds"), &json!({}))?;
    ensure(found == json!([]), || format!("{found:#}"))
}

fn nothing() -> Outcome {
    let rendered = helm::render(&json!({}))?;
    ensure(rendered.objects.is_empty(), || format!("{:?}", rendered.objects))?;
    ensure(rendered.notes.contains("No adapter"), || rendered.notes.clone())
}

fn own() -> Outcome {
    let values = helm::values(
        "mode: ContainerSource\n\
         adapters:\n\
         - {name: a, kind: cloudevents-source, sink: 'http://a.example.com', mode: SinkBinding}\n\
         - {name: b, kind: cloudevents-source, sink: 'http://b.example.com'}\n\
         - {name: c, kind: cloudevents-source, sink: 'http://c.example.com', mode: Deployment}\n\
         - {name: d, kind: cloudevents-source, sink: 'http://d.example.com', enabled: false}\n\
         - {name: e, kind: cloudevents-source, sink: 'http://e.example.com', replicas: 2}\n",
    )?;
    let rendered = helm::render(&values)?;
    rendered.is_valid()?;
    for (kind, name) in [
        ("SinkBinding", "demo-a"),
        ("ContainerSource", "demo-b"),
        ("Deployment", "demo-c"),
        ("SinkBinding", "demo-e"),
    ] {
        rendered.object(kind, name)?;
    }
    ensure(!rendered.has("ContainerSource", "demo-a"), || "demo-a is a ContainerSource".to_owned())?;
    ensure(!rendered.objects.iter().any(|object| object["metadata"]["name"] == "demo-d"), || {
        "demo-d".to_owned()
    })
}

fn samples() -> Outcome {
    let mut values = catalogue::everything()?;
    let descriptions = catalogue::descriptions()?;
    let mut count = 0;
    // Each round takes the next sample of each setting, as long as one has more.
    for round in 0.. {
        let mut more = false;
        for adapter in values["adapters"].as_array_mut().into_iter().flatten() {
            let description =
                descriptions.iter().find(|one| one["name"] == adapter["kind"]).unwrap_or(&Value::Null);
            for (name, schema) in catalogue::settings(description) {
                let own = ["K_SINK", "K_CE_OVERRIDES", "CHECKPOINT_DIR"].contains(&name.as_str());
                let examples = schema["examples"].as_array().into_iter().flatten();
                // An empty text is a setting that is absent.
                let mut samples = examples.chain(schema.get("default")).filter(|sample| *sample != "");
                if let (Some(sample), false, false) =
                    (samples.nth(round), own, adapter["secretRefs"].get(name).is_some())
                {
                    adapter["config"][name] = sample.clone();
                    (more, count) = (true, count + 1);
                }
            }
        }
        if !more {
            break;
        }
        helm::render(&values)?;
    }
    ensure(count > 100, || format!("only {count} samples"))
}

fn archive() -> Outcome {
    let folder = Folder::new()?;
    let archive = peers::helm::package(&helm::chart(), folder.path())?;
    let listed = std::process::Command::new("tar")
        .arg("-tzf")
        .arg(&archive)
        .output()
        .map_err(|error| error.to_string())?;
    let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
    for file in
        ["values.schema.json", "files/adapters.json", "dashboards/trestle.json", "alerts/trestle.yaml"]
    {
        let holds = listed.lines().any(|line| line == format!("trestle/{file}"));
        ensure(holds, || format!("{file} is not in the archive: {listed}"))?;
    }
    let tests: Result<(), Failure> = ensure(!listed.contains("/ci/"), || listed.clone());
    tests
}
