//! Finds the harness of every adapter, so that adding an adapter edits nothing here.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::path::Path;
use std::{env, fs};

#[expect(clippy::disallowed_methods, reason = "this is how cargo talks to a build script")]
fn main() -> io::Result<()> {
    let variable = |name| env::var(name).map_err(io::Error::other);
    let adapters = Path::new(&variable("CARGO_MANIFEST_DIR")?).join("../../adapters").canonicalize()?;
    let mut names = Vec::new();
    for entry in fs::read_dir(&adapters)? {
        let entry = entry?;
        writeln!(io::stdout(), "cargo::rerun-if-changed={}", entry.path().join("tests").display())?;
        if entry.path().join("tests/harness.rs").is_file() {
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    names.sort();
    writeln!(io::stdout(), "cargo::rerun-if-changed={}", adapters.display())?;

    let mut code = String::new();
    let mut list = String::new();
    for name in names {
        let path = adapters.join(&name).join("tests/harness.rs");
        let module = name.replace('-', "_");
        writeln!(code, "#[path = {:?}]\nmod {module};", path.display().to_string())
            .map_err(io::Error::other)?;
        writeln!(list, "        {module}::harness().named({name:?}),").map_err(io::Error::other)?;
    }
    write!(code, "\nfn harnesses() -> Vec<kit::Harness> {{\n    vec![\n{list}    ]\n}}\n")
        .map_err(io::Error::other)?;
    fs::write(Path::new(&variable("OUT_DIR")?).join("harnesses.rs"), code)
}
