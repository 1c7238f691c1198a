//! docker or buildah, whichever is there: both build the same Dockerfile.

use std::path::Path;
use std::process::Command;

use super::Platform;
use super::shell::{self, works};
use crate::cli::{Failure, say};

/// The tool that builds images and keeps them.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Store {
    /// docker, with its daemon.
    Docker,
    /// buildah, whose images podman runs.
    Buildah,
}

/// How an image is built.
pub struct Recipe<'a> {
    /// The Dockerfile.
    pub dockerfile: &'a Path,
    /// The folder with all that it copies.
    pub context: &'a Path,
    /// What it is for.
    pub platform: Platform,
    /// The date that it gets.
    pub epoch: u64,
    /// The Dockerfile's arguments.
    pub arguments: &'a [(&'static str, String)],
    /// Its names.
    pub tags: &'a [String],
}

impl Store {
    /// The one that `CONTAINER_TOOL` names, else the first that works: docker without its daemon does not.
    pub fn find() -> Result<Self, Failure> {
        let wanted = shell::variable("CONTAINER_TOOL");
        let mut tools = [Self::Docker, Self::Buildah]
            .into_iter()
            .filter(|tool| wanted.as_deref().is_none_or(|name| name == tool.name()));
        if let Some(tool) = tools.find(|tool| works(Command::new(tool.name()).arg("info"))) {
            Ok(tool)
        } else if let Some(name) = wanted {
            Err(format!("CONTAINER_TOOL is neither docker nor buildah, or does not work: {name}").into())
        } else {
            Err("neither docker with a daemon that answers nor buildah is here (Debian: apt-get install buildah)".into())
        }
    }

    /// The program.
    pub fn name(self) -> &'static str {
        match self {
            Self::Docker => "docker",
            Self::Buildah => "buildah",
        }
    }

    /// Builds and tags.
    pub fn build(self, recipe: &Recipe<'_>) -> Result<(), Failure> {
        let mut build = Command::new(self.name());
        build.arg("build").arg("--file").arg(recipe.dockerfile).args(["--platform", recipe.platform.name()]);
        match self {
            Self::Docker => build.env("SOURCE_DATE_EPOCH", recipe.epoch.to_string()),
            Self::Buildah => build.args(["--timestamp", &recipe.epoch.to_string()]),
        };
        for (name, value) in recipe.arguments {
            build.arg("--build-arg").arg(format!("{name}={value}"));
        }
        build.args(recipe.tags.iter().flat_map(|tag| ["--tag", tag]));
        shell::run(build.arg(recipe.context))
    }

    /// Makes `tag` the list of these images, one for each platform.
    pub fn join(self, tag: &str, images: &[String]) -> Result<(), Failure> {
        match self {
            Self::Docker => {
                say(&format!(
                    "docker keeps no list of platforms itself: {tag} is to be made where they are pushed to"
                ));
                Ok(())
            }
            Self::Buildah => {
                // The name may be another list's, or an image's; `rmi` of a list would take its first image.
                let _ = works(Command::new("buildah").args(["manifest", "rm", tag]))
                    || works(Command::new("buildah").args(["rmi", tag]));
                shell::run(Command::new("buildah").args(["manifest", "create", tag]).args(images))
            }
        }
    }
}
