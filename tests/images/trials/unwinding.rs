//! A panic ends what it happened in, and not the process: also in binaries that are linked as those of the images are, which
//! find their way back without the table that is usual (`--no-eh-frame-hdr` in `ci/image.toml`).

use std::fs;
use std::process::Command;

use kit::{Failure, Folder, ensure};

use crate::build::{output, root};

const PROGRAM: &str = r#"
fn main() {
    let list = std::hint::black_box(Vec::<usize>::new());
    let caught = std::panic::catch_unwind(|| list[list.len()]).is_err();
    let joined = std::thread::spawn(|| std::panic::resume_unwind(Box::new("on its way"))).join().is_err();
    println!("{caught} {joined}");
}
"#;

/// Builds a program by the flags of the images for this machine, and lets it panic.
pub fn works() -> Result<(), Failure> {
    let folder = Folder::new()?;
    let source = folder.file("panics.rs", PROGRAM)?;
    let program = folder.path().join("panics");
    let rustc = |arguments: &[&str]| output(Command::new("rustc").args(arguments).current_dir(root()));
    let version = rustc(&["-vV"])?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: ")).ok_or("rustc names no host")?;
    let sysroot = rustc(&["--print", "sysroot"])?;
    let mut build = Command::new("rustc");
    build.arg("-O").args(flags(host)?).arg("-Clink-arg=-fuse-ld=lld");
    build.arg(format!("-Clink-arg=-B{sysroot}/lib/rustlib/{host}/bin/gcc-ld"));
    output(build.arg(source).arg("-o").arg(&program).current_dir(root()))?;
    let said = output(&mut Command::new(&program))?;
    ensure(said == "true true", || format!("caught and joined: {said}"))
}

/// The flags of `ci/image.toml` for a target.
fn flags(target: &str) -> Result<Vec<String>, Failure> {
    let file = root().join("ci/image.toml");
    let text = fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
    let table = text.split(&format!("[target.{target}]")).nth(1).unwrap_or_default();
    let line = table.lines().find_map(|line| line.strip_prefix("rustflags = "));
    let line = line.ok_or_else(|| format!("{} has no flags for {target}", file.display()))?;
    serde_json::from_str(line).map_err(|error| format!("{}: {error}", file.display()))
}
