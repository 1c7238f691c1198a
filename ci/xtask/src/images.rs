//! `images`: the static binaries, an image FROM scratch around each, and a bill of materials beside it.

pub mod binaries;
mod bom;
mod changed;
mod context;
mod limit;
mod origin;
mod platform;
mod shell;
mod store;
mod table;

use crate::cli::{Failure, say};
use crate::document::Description;
use crate::workspace::Workspace;

use binaries::{Binaries, Profile};
use context::Context;
use origin::Origin;
pub use platform::Platform;
use store::{Recipe, Store};
use table::Row;

/// The command line of `images`.
#[derive(clap::Args)]
#[command(after_help = "\
Images are called PREFIX/NAME and PREFIX/<name of the old image>, where PREFIX is IMAGE_PREFIX, nothing when it is unset; \
they are tagged `latest` and with the version, or with IMAGE_TAG alone. For several platforms each image has the \
architecture behind its tag, and the tag itself is a list of them where the tool keeps one (buildah does, docker needs a \
registry for it). The bills of materials are in target/images. An image above its limit is built, and the command ends with 1.")]
pub struct Arguments {
    /// Adapters.
    #[arg(required_unless_present_any = ["all", "changed"])]
    names: Vec<String>,
    /// Every adapter.
    #[arg(long, conflicts_with = "names")]
    all: bool,
    /// Adapters that differ from this revision, themselves or in what they are built from.
    #[arg(long, value_name = "REVISION", num_args = 0..=1, require_equals = true,
          default_missing_value = "origin/main", conflicts_with_all = ["names", "all"])]
    changed: Option<String>,
    /// Platforms to build for, with commas between them; this machine's without it.
    #[arg(long, value_delimiter = ',')]
    platform: Vec<Platform>,
    /// Binaries as the tests build them, with the libraries of this machine, and no bill of materials: for trials.
    #[arg(long)]
    debug: bool,
    /// Only build the binaries, and print the folder of each platform.
    #[arg(long)]
    binaries: bool,
}

/// Builds what is asked for and prints a table of it.
pub fn run(workspace: &Workspace, arguments: &Arguments) -> Result<(), Failure> {
    let names = names(workspace, arguments)?;
    if names.is_empty() {
        say("no adapter has changed");
        return Ok(());
    }
    let platforms = match arguments.platform.as_slice() {
        [] => vec![Platform::host()?],
        some => some.to_vec(),
    };
    let profile = if arguments.debug { Profile::Debug } else { Profile::Image };
    if arguments.binaries {
        for platform in platforms {
            table::print(
                &Binaries::build(workspace, platform, profile, &names)?.folder.display().to_string(),
            )?;
        }
        return Ok(());
    }
    let store = Store::find()?;
    let origin = Origin::of(workspace)?;
    let packages = workspace.packages()?;
    let mut rows = Vec::new();
    for platform in &platforms {
        let binaries = Binaries::build(workspace, *platform, profile, &names)?;
        let bills = match profile {
            Profile::Image => {
                bom::write(workspace, &binaries, &origin, &names)?.into_iter().map(Some).collect()
            }
            Profile::Debug => vec![None; names.len()],
        };
        for (name, bill) in names.iter().zip(bills) {
            let description = description(workspace, name)?;
            let context = Context::lay_out(workspace, &binaries, &origin, name)?;
            let tags = origin.tags(&description, (platforms.len() > 1).then_some(*platform));
            say(&format!("{} for {}: {}", store.name(), platform.name(), tags[0]));
            store.build(&Recipe {
                dockerfile: &context.dockerfile,
                context: &context.folder,
                platform: *platform,
                epoch: origin.epoch,
                arguments: &origin.arguments(&description),
                tags: &tags,
            })?;
            let limit = (profile == Profile::Image).then(|| limit::of(&packages, name));
            rows.push(Row { name: description.name, platform: *platform, context, limit, tags, bill });
        }
    }
    if platforms.len() > 1 {
        join(workspace, store, &origin, &names, &platforms)?;
    }
    table::show(&rows)?;
    limit::keep(&rows)
}

/// The adapters that are asked for.
fn names(workspace: &Workspace, arguments: &Arguments) -> Result<Vec<String>, Failure> {
    let adapters = workspace.adapters()?;
    if let Some(unknown) = arguments.names.iter().find(|name| !adapters.contains(name)) {
        return Err(format!("no adapter {unknown}; there are: {}", adapters.join(", ")).into());
    }
    match &arguments.changed {
        Some(revision) => changed::since(workspace, revision, adapters),
        None if arguments.all => Ok(adapters),
        None => Ok(arguments.names.clone()),
    }
}

/// Makes the plain tags lists of the images of all platforms.
fn join(
    workspace: &Workspace,
    store: Store,
    origin: &Origin,
    names: &[String],
    platforms: &[Platform],
) -> Result<(), Failure> {
    for name in names {
        let description = description(workspace, name)?;
        let images: Vec<String> = platforms
            .iter()
            .map(|platform| origin.tags(&description, Some(*platform)).swap_remove(0))
            .collect();
        for tag in origin.tags(&description, None) {
            store.join(&tag, &images)?;
        }
    }
    Ok(())
}

/// What the adapter says about itself, as it is committed.
fn description(workspace: &Workspace, name: &str) -> Result<Description, Failure> {
    let file = workspace.adapter(name).join("describe.json");
    let text = std::fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
    Ok(serde_json::from_str(&text)?)
}
