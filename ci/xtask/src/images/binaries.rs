//! The static binaries: from the same source the same bytes, wherever the checkout and Cargo's folders lie.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::platform::Platform;
use super::shell;
use crate::cli::Failure;
use crate::workspace::Workspace;

/// How they are built.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    /// As they are shipped.
    Image,
    /// As the tests build them, which is done by then: for trials that ask for behaviour alone.
    Debug,
}

/// Built binaries.
pub struct Binaries {
    /// The folder that holds them.
    pub folder: PathBuf,
    /// What they run on.
    pub platform: Platform,
    /// How they were built.
    pub profile: Profile,
    /// The version of the C library in them.
    pub libc: String,
}

impl Binaries {
    /// Builds these adapters, each as if it were alone: what the SDKs of others switch on in shared crates (HTTP/2, a
    /// runtime of many threads) would be a part of every image, and what is built would depend on who is built beside it.
    pub fn build(
        workspace: &Workspace,
        platform: Platform,
        profile: Profile,
        names: &[String],
    ) -> Result<Self, Failure> {
        let rustc = Rustc::of(&workspace.root)?;
        platform.prepare(&workspace.root, &rustc.host)?;
        let target = workspace.target()?;
        let compiler = platform.compiler(&rustc.host);
        if profile == Profile::Debug {
            if platform.triple() != rustc.host {
                return Err(format!("--debug is for this machine alone, not for {}", platform.name()).into());
            }
            return Ok(Self { folder: workspace.build(names)?, platform, profile, libc: libc(compiler)? });
        }
        let table = format!("target.{}", platform.triple());
        let flags = format!("{table}.rustflags={}", serde_json::to_string(&rustc.flags(&target)?)?);
        // Not where it is the machine's own: build scripts and macros would be linked by it too, and all be built again.
        let linker = (platform.triple() != rustc.host).then(|| format!("{table}.linker=\"{compiler}\""));
        for name in names {
            let mut build = vec!["build", "--locked", "--package", name, "--bin", name];
            build.extend(["--profile", "image", "--target", platform.triple()]);
            build.extend(["--config", "ci/image.toml", "--config", &flags]);
            build.extend(linker.iter().flat_map(|linker| ["--config", linker.as_str()]));
            workspace.cargo(&build)?;
        }
        let folder = target.join(platform.triple()).join("image");
        Ok(Self { folder, platform, profile, libc: libc(compiler)? })
    }
}

/// The compiler of this checkout.
struct Rustc {
    host: String,
    commit: String,
    sysroot: PathBuf,
}

impl Rustc {
    fn of(root: &Path) -> Result<Self, Failure> {
        let ask = |arguments: &[&str]| shell::output(Command::new("rustc").args(arguments).current_dir(root));
        let version = ask(&["-vV"])?;
        let field = |name: &str| {
            let value = version.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
            value.map(str::to_owned).ok_or_else(|| format!("rustc -vV names no {name}"))
        };
        Ok(Self {
            host: field("host")?,
            commit: field("commit-hash")?,
            sysroot: ask(&["--print", "sysroot"])?.into(),
        })
    }

    /// What depends on this machine, and so does not stand in `ci/image.toml`.
    ///
    /// The names of source files are in the binaries, in panics. Those of dependencies get the same folder everywhere.
    /// Our own are relative already, and stay so: by that the frame tells our log lines from others'.
    fn flags(&self, target: &Path) -> Result<Vec<String>, Failure> {
        let home = match shell::variable("CARGO_HOME") {
            Some(folder) => PathBuf::from(folder),
            None => std::env::home_dir().ok_or("there is no home folder")?.join(".cargo"),
        };
        let sources = self.sysroot.join("lib/rustlib/src/rust");
        let remap = |from: &Path, to: &str| format!("--remap-path-prefix={}={to}", from.display());
        // The linker that comes with Rust, which the C compiler has to be told for all but 64-bit x86.
        let linker = self.sysroot.join("lib/rustlib").join(&self.host).join("bin/gcc-ld");
        Ok(vec![
            remap(&home, "/cargo"),
            remap(target, "/target"),
            remap(&sources, &format!("/rustc/{}", self.commit)),
            format!("-Clink-arg=-B{}", linker.display()),
            "-Clink-arg=-fuse-ld=lld".to_owned(),
        ])
    }
}

/// The version of the C library that this compiler links.
fn libc(compiler: &str) -> Result<String, Failure> {
    let mut ask = Command::new(compiler);
    let macros = shell::output(ask.args(["-E", "-dM", "-include", "features.h", "-x", "c", "/dev/null"]))?;
    let number = |name: &str| {
        macros.lines().find_map(|line| line.strip_prefix("#define ")?.strip_prefix(name)?.strip_prefix(' '))
    };
    match (number("__GLIBC__"), number("__GLIBC_MINOR__")) {
        (Some(major), Some(minor)) => Ok(format!("{major}.{minor}")),
        _ => Err(format!("{compiler} has no glibc").into()),
    }
}
