//! The last step before a component runs: asks the system to end it when `trestle` itself is killed.
//!
//! A process can be bound to the life of its parent only from inside, between fork and exec. The safe way to run code there
//! is to start this command once more (`trestle run-component`), which asks for the signal and then becomes the component.

use std::ffi::OsString;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, ExitCode};

/// The hidden subcommand.
pub const SUBCOMMAND: &str = "run-component";

/// Becomes the program; comes back only when that failed.
pub fn become_component(parent: u32, program: &OsString) -> ExitCode {
    #[cfg(target_os = "linux")]
    {
        // Without it all else works: a refusal (an odd sandbox) is no reason not to run.
        let _ = nix::sys::prctl::set_pdeathsig(nix::sys::signal::Signal::SIGTERM);
    }
    // It may have died before the request.
    if u32::try_from(nix::unistd::getppid().as_raw()) != Ok(parent) {
        return ExitCode::FAILURE;
    }
    let error = Command::new(program).exec();
    let _ = std::io::Write::write_fmt(
        &mut std::io::stderr(),
        format_args!("cannot run {}: {error}\n", program.display()),
    );
    ExitCode::FAILURE
}

/// This command's own file, even after a build has replaced it.
pub fn own_file() -> std::io::Result<std::path::PathBuf> {
    if cfg!(target_os = "linux") {
        return Ok("/proc/self/exe".into());
    }
    std::env::current_exe()
}
