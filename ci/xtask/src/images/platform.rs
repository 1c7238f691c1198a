//! Platforms by the names that container tools give them, and what is needed to build for another one than this machine.

use std::path::Path;
use std::process::Command;

use super::shell;
use crate::cli::{Failure, say};

/// What an image runs on.
#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum)]
pub enum Platform {
    /// 64-bit x86.
    #[value(name = "linux/amd64")]
    Amd64,
    /// 64-bit ARM.
    #[value(name = "linux/arm64")]
    Arm64,
}

impl Platform {
    /// This machine's processor under Linux.
    pub fn host() -> Result<Self, Failure> {
        match std::env::consts::ARCH {
            "x86_64" => Ok(Self::Amd64),
            "aarch64" => Ok(Self::Arm64),
            other => Err(format!("there are no images for {other}: say --platform linux/amd64").into()),
        }
    }

    /// As container tools call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Amd64 => "linux/amd64",
            Self::Arm64 => "linux/arm64",
        }
    }

    /// The processor in that name.
    pub fn architecture(self) -> &'static str {
        match self {
            Self::Amd64 => "amd64",
            Self::Arm64 => "arm64",
        }
    }

    /// As Rust calls it.
    pub fn triple(self) -> &'static str {
        match self {
            Self::Amd64 => "x86_64-unknown-linux-gnu",
            Self::Arm64 => "aarch64-unknown-linux-gnu",
        }
    }

    /// The C compiler of the Debian packages, for this platform on another.
    fn cross_compiler(self) -> &'static str {
        match self {
            Self::Amd64 => "x86_64-linux-gnu-gcc",
            Self::Arm64 => "aarch64-linux-gnu-gcc",
        }
    }

    /// The C compiler: `cc` where this platform is the machine's own (`host`, a triple).
    pub fn compiler(self, host: &str) -> &'static str {
        if self.triple() == host { "cc" } else { self.cross_compiler() }
    }

    /// Checks that the standard library and a C compiler are there, and fetches the first with rustup.
    pub fn prepare(self, root: &Path, host: &str) -> Result<(), Failure> {
        if self.triple() == host {
            return Ok(());
        }
        let mut library = Command::new("rustc");
        library.args(["--print", "target-libdir", "--target", self.triple()]).current_dir(root);
        if !Path::new(&shell::output(&mut library)?).is_dir() {
            say(&format!("rustup target add {}", self.triple()));
            shell::run(Command::new("rustup").args(["target", "add", self.triple()]).current_dir(root))?;
        }
        let compiler = self.cross_compiler();
        if shell::works(Command::new(compiler).arg("--version")) {
            return Ok(());
        }
        Err(format!(
            "no {compiler}, which {} needs here; on Debian: apt-get install gcc-{} libc6-dev-{}-cross",
            self.name(),
            compiler.trim_end_matches("-gcc"),
            self.architecture(),
        )
        .into())
    }
}
