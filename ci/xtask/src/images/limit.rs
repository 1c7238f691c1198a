//! How large an image may be.

use super::changed::closure;
use super::table::{Row, megabytes};
use crate::cli::Failure;
use crate::workspace::Package;

/// Bytes of an image whose adapter speaks HTTP alone.
const SMALL: u64 = 6_000_000;
/// Bytes of one with the client of a store.
const MIDDLE: u64 = 7_000_000;
/// The crates of others that those are.
const STORES: [&str; 1] = ["redis"];
/// Bytes of one with the SDK of a cloud or with librdkafka.
const LARGE: u64 = 16_000_000;
/// The crates of ours that bring those.
const FAMILIES: [&str; 4] = ["aws", "azure", "google", "kafka"];

/// The limit of an adapter, by what it is built from.
pub fn of(packages: &[Package], name: &str) -> u64 {
    let ours = closure(packages, name);
    let needed = packages.iter().filter(|package| ours.contains(&package.name));
    let mut needed =
        needed.flat_map(|package| &package.dependencies).filter(|one| one.kind.as_deref() != Some("dev"));
    if FAMILIES.iter().any(|family| ours.contains(*family)) {
        LARGE
    } else if needed.any(|one| STORES.contains(&one.name.as_str())) {
        MIDDLE
    } else {
        SMALL
    }
}

/// Fails with the images that are above their limits.
pub fn keep(rows: &[Row]) -> Result<(), Failure> {
    let above: Vec<String> =
        rows.iter().filter_map(|row| excess(&row.name, row.context.size, row.limit?)).collect();
    if above.is_empty() {
        Ok(())
    } else {
        Err(format!("images above their limits: {}", above.join(", ")).into())
    }
}

fn excess(name: &str, size: u64, limit: u64) -> Option<String> {
    (size > limit).then(|| format!("{name} has {}, more than {}", megabytes(size), megabytes(limit)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_graph_says_how_large_an_image_may_be() {
        let package = |name: &str, needed: &[&str]| -> Package {
            let needed: Vec<_> =
                needed.iter().map(|name| serde_json::json!({"name": name, "kind": null})).collect();
            serde_json::from_value(serde_json::json!({
                "name": name, "version": "0.1.0", "manifest_path": "/w/Cargo.toml", "targets": [], "dependencies": needed,
            }))
            .unwrap()
        };
        let packages = [
            package("common", &["hyper"]),
            package("kafka", &["common", "rdkafka"]),
            package("a-source", &["common"]),
            package("b-source", &["common", "kafka"]),
            package("routing", &["cel"]),
            package("filter", &["common", "routing"]),
            package("a-broker", &["common", "redis"]),
        ];
        let limits = ["a-source", "b-source", "filter", "a-broker"].map(|name| of(&packages, name));
        assert_eq!(limits, [6_000_000, 16_000_000, 6_000_000, 7_000_000]);
    }

    #[test]
    fn an_image_above_its_limit_is_named() {
        assert_eq!(excess("a-source", 6_000_000, SMALL), None);
        let said = excess("a-source", 6_000_001, SMALL);
        assert_eq!(said.as_deref(), Some("a-source has 6.01 MB, more than 6.00 MB"));
    }
}
