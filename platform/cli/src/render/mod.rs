//! `trestle render`: the same bridge for Kubernetes, for Knative, for Compose. Secrets are named, never written.

mod compose;
mod knative;
mod kubernetes;
mod name;
mod part;
mod pod;
#[cfg(test)]
mod tests;
mod workload;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::ValueEnum;
use serde_json::Value as Json;

use crate::args::fail;
use crate::bridge::{Bridge, Component, Destination};
use crate::catalogue::{Catalogue, Role};
use crate::manifest::{self, Platform};
use crate::yaml;
use part::{Images, Part};

/// What to write for.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Target {
    /// Deployments and Services.
    Kubernetes,
    /// The same with Knative Eventing: Broker, Trigger, ContainerSource, SinkBinding.
    Knative,
    /// A file for `docker compose`.
    Compose,
}

/// What the command line says.
pub struct Options<'a> {
    pub to: Target,
    /// Where files go; without it all goes to standard output.
    pub out: Option<&'a Path>,
    /// Of objects that name none.
    pub namespace: &'a str,
    pub image_prefix: &'a str,
    pub tag: &'a str,
}

/// What comes of a bridge.
struct Rendered {
    /// Files with their documents.
    files: BTreeMap<PathBuf, Vec<Json>>,
    /// What the reader of it has to know.
    notes: Vec<String>,
}

/// Writes the bridge in that file, or its mistakes.
pub fn run(bridge: &Path, options: &Options<'_>, catalogue: &Catalogue) -> ExitCode {
    let file = bridge.display().to_string();
    let text = match std::fs::read_to_string(bridge) {
        Ok(text) => text,
        Err(error) => return fail(&format!("cannot read {file}: {error}")),
    };
    let reading = manifest::read_for(platform(options.to), options.namespace, &text, catalogue);
    let (bridge, warnings) = match reading.outcome(&file) {
        Ok(read) => read,
        Err(mistakes) => return fail(mistakes.trim_end()),
    };
    let rendered = match render(&bridge, options, catalogue) {
        Ok(rendered) => rendered,
        Err(why) => return fail(&format!("{file}: {why}")),
    };
    let notes: String = rendered.notes.iter().map(|note| format!("note: {note}\n")).collect();
    let _ = std::io::stderr().lock().write_all((warnings + &notes).as_bytes());
    match write(&rendered.files, options.out) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => fail(&why),
    }
}

fn platform(target: Target) -> Platform<'static> {
    match target {
        Target::Kubernetes => Platform::Kubernetes,
        Target::Knative => Platform::Knative,
        Target::Compose => Platform::Compose,
    }
}

fn render(bridge: &Bridge, options: &Options<'_>, catalogue: &Catalogue) -> Result<Rendered, String> {
    let hides =
        |destination: &&Destination| matches!(destination, Destination::Url(url) if name::has_password(url));
    if let Some(component) =
        bridge.components.iter().find(|component| name::destinations(component).any(|to| hides(&to)))
    {
        return Err(format!(
            "{} sends to an address with a password in it, which would stand in what is written; \
             a CloudEventsTarget has a field for it",
            component.id
        ));
    }
    let mut notes = Vec::new();
    let parts = parts(bridge, options, catalogue)?;
    let address = |destination: &Destination| address(destination, bridge, options.to).unwrap_or_default();
    let document =
        |part: &Part<'_>| (part.component.role == Role::Broker).then(|| part.component.document(&address));
    let files = if options.to == Target::Compose {
        let documents: Vec<Option<String>> = parts.iter().map(document).collect();
        BTreeMap::from([(PathBuf::from("compose.yaml"), vec![compose::file(&parts, &documents)])])
    } else {
        let mut files = BTreeMap::new();
        for part in &parts {
            let objects = match (options.to, part.component.role) {
                (Target::Knative, Role::Broker) => knative::broker(part.component, bridge, &mut notes),
                (Target::Knative, _) => knative::objects(part, bridge),
                _ => kubernetes::objects(part, document(part)),
            };
            let file = format!("{}/{}.yaml", part.component.id.namespace, part.name);
            files.insert(PathBuf::from(file), objects);
        }
        files
    };
    left_to_others(&parts, options.to, &mut notes);
    Ok(Rendered { files, notes })
}

fn parts<'a>(
    bridge: &'a Bridge,
    options: &Options<'_>,
    catalogue: &Catalogue,
) -> Result<Vec<Part<'a>>, String> {
    let images = Images { prefix: options.image_prefix, tag: options.tag };
    let part = |component: &'a Component| {
        let adapter = catalogue.adapters.iter().find(|adapter| adapter.name == component.adapter);
        let adapter = adapter.ok_or_else(|| format!("no adapter {}", component.adapter))?;
        let name = part_name(component, options.to);
        let mut part = Part::new(component, adapter, name, &images, &|to| address(to, bridge, options.to))?;
        if options.to == Target::Knative {
            part.environment.retain(|variable, _| !knative::is_injected(variable, component));
        }
        Ok(part)
    };
    bridge.components.iter().map(part).collect()
}

fn part_name(component: &Component, to: Target) -> String {
    match to {
        Target::Compose => name::label(&component.label),
        Target::Kubernetes | Target::Knative => name::of_component(&component.id),
    }
}

/// Where events go, as the sender's environment has it; none where Knative tells the sender.
fn address(destination: &Destination, bridge: &Bridge, to: Target) -> Option<String> {
    match destination {
        _ if to == Target::Knative => None,
        Destination::Url(url) => Some(url.clone()),
        Destination::Outside(object) => {
            let id = &object.id;
            Some(format!("http://{}.{}.svc.cluster.local{}", id.name, id.namespace, object.path))
        }
        Destination::Component { id, path } => {
            let component = bridge.components.iter().find(|component| component.id == *id)?;
            if to == Target::Kubernetes {
                return Some(name::in_cluster(component, path));
            }
            let port = component.fixed_port().ok().flatten().unwrap_or(name::PORT);
            Some(format!("http://{}:{port}{path}", part_name(component, to)))
        }
    }
}

/// Tells of secrets that have to be there, and of fields that nothing here acts on.
fn left_to_others(parts: &[Part<'_>], to: Target, notes: &mut Vec<String>) {
    let is_run = |part: &&Part<'_>| to != Target::Knative || part.component.role != Role::Broker;
    let mut secrets: BTreeMap<(&str, &str), (BTreeSet<&str>, bool)> = BTreeMap::new();
    for part in parts.iter().filter(is_run) {
        for (key, is_own) in part.secrets() {
            let entry = secrets.entry((part.component.id.namespace.as_str(), key.name.as_str())).or_default();
            entry.0.insert(&key.key);
            entry.1 |= is_own;
        }
        let fields = part.component.cluster.fields.keys();
        let lost: Vec<String> = fields
            .filter(|path| to == Target::Compose || !workload::is_known(path))
            .map(|path| format!("spec.{path}"))
            .collect();
        if !lost.is_empty() {
            notes.push(format!("{}: nothing acts on {}", part.component.id, lost.join(", ")));
        }
    }
    if to == Target::Compose {
        let variables: Vec<String> = compose::variables(parts).into_iter().collect();
        if !variables.is_empty() {
            notes.push(format!("compose needs in its environment, or in .env: {}", variables.join(", ")));
        }
        return;
    }
    for ((namespace, name), (keys, is_own)) in secrets {
        let keys: Vec<&str> = keys.into_iter().collect();
        let why = if is_own { ", with what stands in the manifest" } else { "" };
        notes.push(format!("needs Secret {name} in namespace {namespace}: {}{why}", keys.join(", ")));
    }
}

fn write(files: &BTreeMap<PathBuf, Vec<Json>>, out: Option<&Path>) -> Result<(), String> {
    let Some(folder) = out else {
        let all: Vec<Json> = files.values().flatten().cloned().collect();
        // A reader that has gone (head) is no failure.
        let _ = std::io::stdout().lock().write_all(yaml::documents(&all).as_bytes());
        return Ok(());
    };
    for (file, documents) in files {
        let path = folder.join(file);
        let made = path.parent().map_or(Ok(()), std::fs::create_dir_all);
        made.and_then(|()| std::fs::write(&path, yaml::documents(documents)))
            .map_err(|error| format!("cannot write {}: {error}", path.display()))?;
        let _ = writeln!(std::io::stdout().lock(), "{}", path.display());
    }
    Ok(())
}
