//! One process of a bridge as every platform has it: an image, its environment, its files. Secrets are names only.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::name::{self, has_password};
use crate::bridge::{Component, Destination, Origin, Secret, SecretKey, Setting};
use crate::catalogue::Adapter;

/// Where files with secrets are in a container.
pub const SECRETS: &str = "/var/run/trestle";

/// The setting for the folder of positions, its value unless the manifest says otherwise, and the setting that names a
/// store in its place.
const FOLDER: &str = "CHECKPOINT_DIR";
const POSITIONS: &str = "/var/lib/trestle";
const STORE: &str = "CHECKPOINT_URL";

/// One process.
pub struct Part<'a> {
    pub component: &'a Component,
    /// Of its objects; unique in its namespace.
    pub name: String,
    pub image: String,
    /// Where it listens for events.
    pub port: u16,
    pub environment: BTreeMap<String, Value>,
    /// Secrets in files: the name below [`SECRETS`], and whose value.
    pub files: BTreeMap<String, SecretKey>,
    /// The folder where it keeps positions, when it does.
    pub positions: Option<String>,
}

/// The value of a variable.
#[derive(Debug, PartialEq)]
pub enum Value {
    Text(String),
    Secret(SecretKey),
}

/// What names depend on.
pub struct Images<'a> {
    pub prefix: &'a str,
    pub tag: &'a str,
}

impl Images<'_> {
    /// The image of an adapter.
    fn of(&self, adapter: &str) -> String {
        let slash = if self.prefix.is_empty() || self.prefix.ends_with('/') { "" } else { "/" };
        format!("{}{slash}{adapter}:{}", self.prefix, self.tag)
    }
}

impl<'a> Part<'a> {
    /// The process for a component; `address` says where destinations are. Where it says nothing, somebody else tells the
    /// process.
    ///
    /// # Errors
    /// When it cannot be told where it listens.
    pub fn new(
        component: &'a Component,
        adapter: &Adapter,
        name: String,
        images: &Images<'_>,
        address: &dyn Fn(&Destination) -> Option<String>,
    ) -> Result<Part<'a>, String> {
        let mut part = Part {
            component,
            name,
            image: images.of(&component.adapter),
            port: component.fixed_port()?.unwrap_or(name::PORT),
            environment: BTreeMap::new(),
            files: BTreeMap::new(),
            positions: None,
        };
        for (variable, setting) in &component.environment {
            let value = match setting {
                Setting::Text(text) => Some(part.text(variable, text)),
                Setting::Secret(secret) => Some(part.secret(variable, secret, adapter)),
                Setting::SecretFile(secret) => Some(part.file(variable, key_of(&secret.origin))),
                Setting::Address(destination) => address(destination).map(Value::Text),
            };
            if let Some(value) = value {
                part.environment.insert(variable.clone(), value);
            }
        }
        if keeps_files(adapter, &part) {
            let folder = Value::Text(POSITIONS.to_owned());
            if let Value::Text(folder) = part.environment.entry(FOLDER.to_owned()).or_insert(folder) {
                part.positions = Some(folder.clone());
            }
        }
        Ok(part)
    }

    /// The secrets it needs, each with whether the manifest holds its value in place.
    pub fn secrets(&self) -> impl Iterator<Item = (&SecretKey, bool)> {
        let of_variables = self.environment.values().filter_map(|value| match value {
            Value::Secret(key) => Some(key),
            Value::Text(_) => None,
        });
        of_variables.chain(self.files.values()).map(|key| (key, key.name == self.own_secret()))
    }

    /// The Secret for values that stand in the manifest itself.
    fn own_secret(&self) -> String {
        name::label(&format!("{}-secrets", self.name))
    }

    fn own_key(&self, key: &str) -> SecretKey {
        SecretKey { name: self.own_secret(), key: key.to_owned() }
    }

    fn text(&self, variable: &str, text: &str) -> Value {
        if has_password(text) { Value::Secret(self.own_key(variable)) } else { Value::Text(text.to_owned()) }
    }

    fn secret(&mut self, variable: &str, secret: &Secret, adapter: &Adapter) -> Value {
        match (&secret.origin, secret.text.as_deref()) {
            (Origin::Key(key), _) => Value::Secret(key.clone()),
            // A setting that is no secret was written where anything may be.
            (Origin::Override, Some(text))
                if !adapter.setting(variable).is_some_and(|known| known.secret) =>
            {
                self.text(variable, text)
            }
            (Origin::Parts(parts), Some(text)) => self.with_files(variable, text, parts),
            (Origin::Field | Origin::Override | Origin::Parts(_), _) => Value::Secret(self.own_key(variable)),
        }
    }

    /// The variable has the path of a file with the value.
    fn file(&mut self, variable: &str, key: Option<SecretKey>) -> Value {
        let key = key.unwrap_or_else(|| self.own_key(variable));
        self.files.insert(variable.to_owned(), key);
        Value::Text(format!("{SECRETS}/{variable}"))
    }

    /// JSON in which the secrets have become paths of files with them: no text can be put into JSON as it is. The member
    /// is the one that the old controller wrote. Where there can be none, all of it is a secret.
    fn with_files(&mut self, variable: &str, text: &str, parts: &[(String, Option<SecretKey>)]) -> Value {
        let (mut json, mut files) = (serde_json::from_str(text).unwrap_or_default(), Vec::new());
        for (number, (pointer, key)) in parts.iter().enumerate() {
            let file = format!("{variable}-{number}");
            if !put_file(&mut json, pointer, &format!("{SECRETS}/{file}")) {
                return Value::Secret(self.own_key(variable));
            }
            files.push((file.clone(), key.clone().unwrap_or_else(|| self.own_key(&file))));
        }
        self.files.extend(files);
        Value::Text(json.to_string())
    }
}

/// Puts the path of a file in the place of the member at the pointer; not, when it is no member or has one beside it.
fn put_file(json: &mut Json, pointer: &str, path: &str) -> bool {
    let Some((above, member)) = pointer.rsplit_once('/') else { return false };
    let Some(map) = json.pointer_mut(above).and_then(Json::as_object_mut) else { return false };
    let is_there = map.remove(&member.replace("~1", "/").replace("~0", "~")).is_some();
    is_there && map.insert("MountedValueFile".to_owned(), path.into()).is_none()
}

/// Whether positions are in files: polls have no other place, and some logs have none when no store is named.
fn keeps_files(adapter: &Adapter, part: &Part<'_>) -> bool {
    let may_have_store = adapter.config.properties.contains_key(STORE);
    adapter.shape == "poll-source" || (may_have_store && !part.environment.contains_key(STORE))
}

fn key_of(origin: &Origin) -> Option<SecretKey> {
    match origin {
        Origin::Key(key) => Some(key.clone()),
        _ => None,
    }
}
