//! The generated parts of the page for those who come from TriggerMesh: what takes the place of what, and what does not yet.

use super::triggermesh::KINDS;
use crate::document::{Description, Kind};
use crate::markdown::{code, row};

/// How many types a cell names.
const MOST: usize = 3;

/// A row for each kind of TriggerMesh that an adapter runs.
pub fn replaced(descriptions: &[Description]) -> String {
    let mut text = String::from(
        "| kind | old image | adapter and image | event types | what changes |\n| --- | --- | --- | --- | --- |\n",
    );
    for (kind, group) in KINDS {
        let Some((description, kind)) = of(descriptions, kind, group) else { continue };
        let name = &description.name;
        let page = format!("../adapters/{name}/README.md");
        let images: Vec<String> = description.images.iter().map(|image| code(image)).collect();
        text += &row(&[
            &code(&kind.kind),
            &images.join(", "),
            &format!("[{name}]({page})"),
            &types(description, kind),
            &format!("[differences]({page}#differences)"),
        ]);
    }
    text
}

/// The kinds that nothing runs, by group.
pub fn missing(descriptions: &[Description]) -> String {
    let mut groups: Vec<(&str, Vec<String>)> = Vec::new();
    let mut count = 0;
    for (kind, group) in KINDS.iter().filter(|(kind, group)| of(descriptions, kind, group).is_none()) {
        count += 1;
        match groups.last_mut() {
            Some((last, kinds)) if last == group => kinds.push(code(kind)),
            _ => groups.push((group, vec![code(kind)])),
        }
    }
    let mut text = format!("{count} of {} kinds have no adapter yet:\n\n", KINDS.len());
    for (group, kinds) in groups {
        text += &format!("- `{group}.triggermesh.io`: {}\n", kinds.join(", "));
    }
    text
}

/// The types that come in and go out, a few of them where there are many.
fn types(description: &Description, kind: &Kind) -> String {
    let some = |types: &[String]| {
        let mut shown: Vec<String> = types.iter().take(MOST).map(|one| code(one)).collect();
        shown.extend((types.len() > MOST).then(|| "…".to_owned()));
        shown.join(", ")
    };
    if description.role != "source" {
        let sides = [some(&description.accepts), some(&description.emits)];
        return sides.iter().filter(|side| !side.is_empty()).cloned().collect::<Vec<_>>().join(" → ");
    }
    kind.constants.get("CE_TYPE").map_or_else(|| some(&description.emits), |only| code(only))
}

/// Who runs a kind.
fn of<'a>(descriptions: &'a [Description], kind: &str, group: &str) -> Option<(&'a Description, &'a Kind)> {
    let group = format!("{group}.triggermesh.io");
    descriptions.iter().find_map(|description| {
        let is = |known: &&Kind| known.kind == kind && known.group == group;
        description.kinds.iter().find(is).map(|kind| (description, kind))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_kind_has_an_adapter_or_is_missing() {
        let kind = json!({"group": "flow.triggermesh.io", "version": "v1alpha1", "kind": "Transformation",
            "constants": {}, "fields": []});
        let description: Description = serde_json::from_value(json!({
            "name": "transformation", "summary": "", "role": "transformation", "shape": "target", "scaling": "any",
            "images": ["transformation-adapter"], "emits": [], "accepts": ["*"], "kinds": [kind],
            "config": {"properties": {}}, "frame": {"properties": {}},
        }))
        .unwrap();
        let all = [description];
        let row = "| `Transformation` | `transformation-adapter` | [transformation](../adapters/transformation/README.md) \
            | `*` | [differences](../adapters/transformation/README.md#differences) |";
        assert!(replaced(&all).contains(row), "{}", replaced(&all));
        assert!(!missing(&all).contains("`Transformation`"));
        assert!(missing(&all).starts_with("81 of 82 kinds"), "{}", missing(&all));
    }
}
