//! Where images come from: the commit, its date, and the names they get.

use super::Platform;
use super::shell::{self, git};
use crate::cli::Failure;
use crate::document::Description;
use crate::workspace::Workspace;

/// What all images of one run have in common.
pub struct Origin {
    /// The commit, `-dirty` behind it when the checkout differs.
    pub revision: String,
    /// Seconds since 1970 that all files and the images themselves are dated with.
    pub epoch: u64,
    /// The workspace's version.
    pub version: String,
    prefix: String,
    tag: Option<String>,
}

impl Origin {
    /// Asks Git, and the environment: `SOURCE_DATE_EPOCH`, `IMAGE_PREFIX`, `IMAGE_TAG`.
    pub fn of(workspace: &Workspace) -> Result<Self, Failure> {
        let root = &workspace.root;
        let commit = git(root, &["rev-parse", "HEAD"])?;
        let dirty = !git(root, &["status", "--porcelain"])?.is_empty();
        let epoch = match shell::variable("SOURCE_DATE_EPOCH") {
            Some(epoch) => epoch,
            None => git(root, &["log", "-1", "--format=%ct"])?,
        };
        let packages = workspace.packages()?;
        let xtask = packages.into_iter().find(|package| package.name == env!("CARGO_PKG_NAME"));
        Ok(Self {
            revision: if dirty { format!("{commit}-dirty") } else { commit },
            epoch: epoch
                .parse()
                .map_err(|_| format!("SOURCE_DATE_EPOCH is no number of seconds: {epoch}"))?,
            version: xtask.ok_or("the workspace has no version")?.version,
            prefix: shell::variable("IMAGE_PREFIX").unwrap_or_default(),
            tag: shell::variable("IMAGE_TAG"),
        })
    }

    /// The names with their tags, the adapter's own first; for one platform of several with that behind the tag.
    pub fn tags(&self, description: &Description, platform: Option<Platform>) -> Vec<String> {
        let names = std::iter::once(&description.name).chain(&description.images);
        let mut distinct: Vec<&String> = Vec::new();
        for name in names {
            if !distinct.contains(&name) {
                distinct.push(name);
            }
        }
        let prefix = match self.prefix.trim_end_matches('/') {
            "" => String::new(),
            prefix => format!("{prefix}/"),
        };
        let suffix = platform.map(|platform| format!("-{}", platform.architecture())).unwrap_or_default();
        let tags = match &self.tag {
            Some(tag) => vec![tag.as_str()],
            None => vec!["latest", &self.version],
        };
        let all = distinct.iter().flat_map(|name| tags.iter().map(move |tag| (name, tag)));
        all.map(|(name, tag)| format!("{prefix}{name}:{tag}{suffix}")).collect()
    }

    /// The arguments of `ci/Dockerfile`.
    pub fn arguments(&self, description: &Description) -> Vec<(&'static str, String)> {
        vec![
            ("ADAPTER", description.name.clone()),
            ("SUMMARY", description.summary.clone()),
            ("VERSION", self.version.clone()),
            ("REVISION", self.revision.clone()),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn description(name: &str, images: &[&str]) -> Description {
        let settings = serde_json::json!({"properties": {}});
        serde_json::from_value(serde_json::json!({
            "name": name, "summary": "", "role": "source", "shape": "source", "scaling": "any", "images": images,
            "kinds": [], "config": settings, "frame": settings,
        }))
        .unwrap()
    }

    fn origin(prefix: &str, tag: Option<&str>) -> Origin {
        Origin {
            revision: String::new(),
            epoch: 0,
            version: "1.2.3".to_owned(),
            prefix: prefix.to_owned(),
            tag: tag.map(str::to_owned),
        }
    }

    #[test]
    fn old_names_stand_beside_the_new_one() {
        let webhook = description("webhook-source", &["webhooksource-adapter"]);
        assert_eq!(
            origin("", None).tags(&webhook, None),
            [
                "webhook-source:latest",
                "webhook-source:1.2.3",
                "webhooksource-adapter:latest",
                "webhooksource-adapter:1.2.3"
            ]
        );
    }

    #[test]
    fn a_name_that_was_never_another_comes_once() {
        let broker = description("memory-broker", &["memory-broker"]);
        assert_eq!(origin("", Some("dev")).tags(&broker, None), ["memory-broker:dev"]);
    }

    #[test]
    fn prefix_and_platform_go_around() {
        let ping = description("ping-source", &[]);
        for prefix in ["registry.example/trestle", "registry.example/trestle/"] {
            let tags = origin(prefix, Some("dev")).tags(&ping, Some(Platform::Arm64));
            assert_eq!(tags, ["registry.example/trestle/ping-source:dev-arm64"]);
        }
    }
}
