//! How peers come onto the machine: from Debian, or from Go modules, Maven and PyPI and kept in the user's cache.

use std::env;
use std::fs::{self, File};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::Command;

use kit::{Failure, Folder};

/// The folder that peers are kept in from run to run.
///
/// # Errors
/// When the user has no home.
pub fn cache() -> Result<PathBuf, Failure> {
    let base = env::var_os("XDG_CACHE_HOME").filter(|folder| !folder.is_empty()).map(PathBuf::from);
    let base = base.or_else(|| Some(PathBuf::from(env::var_os("HOME")?).join(".cache")));
    Ok(base.ok_or("neither XDG_CACHE_HOME nor HOME is set")?.join("trestle/peers"))
}

/// A program of a Debian package, in the version that the system's release has. No service of it is used.
///
/// # Errors
/// When it is not there and cannot be installed.
pub fn debian(package: &str, program: &str) -> Result<PathBuf, Failure> {
    on_path(program).map_or_else(|| alone(|| debian_alone(package, program)), Ok)
}

/// The same for who installs something already.
fn debian_alone(package: &str, program: &str) -> Result<PathBuf, Failure> {
    if let Some(path) = on_path(program) {
        return Ok(path);
    }
    let mut install = Command::new("apt-get");
    install.args(["install", "-y", "--no-install-recommends", package]);
    run(install.env("DEBIAN_FRONTEND", "noninteractive"))?;
    on_path(program).ok_or_else(|| format!("{package} was installed and holds no {program}"))
}

/// A program of a Go module in exactly this version, built once and kept.
///
/// # Errors
/// When it cannot be built.
pub fn go(package: &str, version: &str) -> Result<PathBuf, Failure> {
    let name = package.rsplit('/').next().unwrap_or(package);
    built(name, version, |building| {
        let mut install = Command::new("go");
        install.arg("install").arg(format!("{package}@{version}"));
        run(install.current_dir(cache()?).env("GOBIN", building).env("GOFLAGS", "-buildvcs=false"))
    })
}

/// The same for a module that replaces others, which `go install` refuses: it is built in a copy of its source.
///
/// # Errors
/// When it cannot be built.
pub fn go_copy(name: &str, module: &str, version: &str, package: &str) -> Result<PathBuf, Failure> {
    built(name, version, |building| {
        let source = go_source(module, version)?;
        let copy = Folder::new()?;
        let tree = copy.path().join(name);
        run(Command::new("cp").arg("-r").arg(source).arg(&tree))?;
        run(Command::new("chmod").args(["-R", "u+w"]).arg(&tree))?;
        let mut build = Command::new("go");
        build.args(["build", "-mod=mod", "-buildvcs=false", "-o"]).arg(building.join(name)).arg(package);
        run(build.current_dir(&tree))
    })
}

/// The folder with the source of a Go module in exactly this version, which Go keeps.
///
/// # Errors
/// When it cannot be had.
pub fn go_source(module: &str, version: &str) -> Result<PathBuf, Failure> {
    let at = format!("{module}@{version}");
    let download = output(Command::new("go").args(["mod", "download", "-json", &at]))?;
    let download: serde_json::Value = serde_json::from_slice(&download).map_err(|error| error.to_string())?;
    Ok(download["Dir"].as_str().ok_or_else(|| format!("go names no folder of {at}"))?.into())
}

/// A folder with the jars of Maven artifacts (each `group:artifact:version`) and of all that they need at run time, for
/// `java -cp 'FOLDER/*'`.
///
/// # Errors
/// When they cannot be had.
pub fn maven(name: &str, artifacts: &[&str]) -> Result<PathBuf, Failure> {
    let pom = pom(name, artifacts)?;
    built_as(name, &digest(&pom), "lib", |building| {
        let maven = debian_alone("maven", "mvn")?;
        fs::write(building.join("pom.xml"), &pom).map_err(|error| format!("no pom.xml: {error}"))?;
        let mut copy = Command::new(maven);
        copy.args(["-q", "-B", MAVEN_COPY, "-DincludeScope=runtime", "-DoutputDirectory=lib"]);
        run(copy.current_dir(building))
    })
}

/// The Java runtime that runs them.
///
/// # Errors
/// When it is not there and cannot be installed.
pub fn java() -> Result<PathBuf, Failure> {
    debian("default-jre-headless", "java")
}

/// The folder with the programs of a virtual environment of Python's that holds these packages. `requirements` is the text
/// of a requirements file that pins them all, those that others need included.
///
/// # Errors
/// When they cannot be installed.
pub fn pip(name: &str, requirements: &str) -> Result<PathBuf, Failure> {
    let list = built_as(name, &digest(requirements), "requirements.txt", |building| {
        let list = building.join("requirements.txt");
        fs::write(&list, requirements).map_err(|error| format!("{}: {error}", list.display()))?;
        // Its programs name the folder that they were installed in: it is made where it stays.
        let home = building.with_file_name("venv");
        run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&home))?;
        let mut install = Command::new(home.join("bin/pip"));
        install.args(["install", "-q", "--disable-pip-version-check", "--no-deps", "-r"]);
        run(install.arg(&list))
    })?;
    Ok(list.with_file_name("venv").join("bin"))
}

/// The folder with a package of npm in exactly this version and all that it needs, `node_modules`; for `node`, which is
/// there or comes with Debian.
///
/// # Errors
/// When it cannot be installed.
pub fn npm(package: &str, version: &str) -> Result<PathBuf, Failure> {
    debian("nodejs", "node")?;
    debian("npm", "npm")?;
    built_as(package, version, "node_modules", |building| {
        let mut install = Command::new("npm");
        install.args(["install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", "."]);
        run(install.arg(format!("{package}@{version}")).current_dir(building))
    })
}

/// The goal that copies jars, in a pinned version too.
const MAVEN_COPY: &str = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies";

/// A project that needs these artifacts and is nothing else.
fn pom(name: &str, artifacts: &[&str]) -> Result<String, Failure> {
    let mut needed = String::new();
    for artifact in artifacts {
        let [group, artifact, version] = artifact.split(':').collect::<Vec<_>>()[..] else {
            return Err(format!("{artifact} is not group:artifact:version"));
        };
        needed += &format!(
            "<dependency><groupId>{group}</groupId><artifactId>{artifact}</artifactId>\
             <version>{version}</version></dependency>"
        );
    }
    Ok(format!(
        "<project><modelVersion>4.0.0</modelVersion><groupId>peers</groupId><artifactId>{name}</artifactId>\
         <version>1</version><dependencies>{needed}</dependencies></project>"
    ))
}

/// Names a folder after what is in it.
fn digest(text: &str) -> String {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}

/// The program as it was built before, or is built now into the folder given.
pub(crate) fn built(
    name: &str,
    version: &str,
    build: impl FnOnce(&Path) -> Result<(), Failure>,
) -> Result<PathBuf, Failure> {
    built_as(name, version, name, build)
}

/// The same for a file or folder that is not called like the peer.
fn built_as(
    name: &str,
    version: &str,
    result: &str,
    build: impl FnOnce(&Path) -> Result<(), Failure>,
) -> Result<PathBuf, Failure> {
    let folder = cache()?.join(format!("{name}-{version}"));
    let program = folder.join(result);
    if program.exists() {
        return Ok(program);
    }
    alone(|| {
        if !program.exists() {
            // Complete or not there: it is moved to its place when it is built.
            let building = folder.join("building");
            fs::create_dir_all(&building).map_err(|error| format!("{}: {error}", building.display()))?;
            build(&building)?;
            fs::rename(building.join(result), &program)
                .map_err(|error| format!("{}: {error}", program.display()))?;
        }
        Ok(program.clone())
    })
}

/// Installs one at a time, also where several test programs run side by side.
fn alone<T>(install: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
    let folder = cache()?;
    let fault = |error: std::io::Error| format!("{}: {error}", folder.display());
    fs::create_dir_all(&folder).map_err(fault)?;
    let lock = File::create(folder.join("lock")).map_err(fault)?;
    lock.lock().map_err(fault)?;
    install()
}

fn on_path(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).map(|folder| folder.join(program)).find(|path: &PathBuf| Path::is_file(path))
}

/// Runs a command to its end.
///
/// # Errors
/// When it fails, with what it wrote.
pub(crate) fn run(command: &mut Command) -> Result<(), Failure> {
    output(command).map(drop)
}

fn output(command: &mut Command) -> Result<Vec<u8>, Failure> {
    let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    Err(format!("{command:?}: {}\n{}", output.status, String::from_utf8_lossy(&output.stderr)))
}
