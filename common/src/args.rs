//! The command line: a few words about the program, and every setting as a flag.

use crate::config::Environment;

/// What the command line asks for.
#[derive(Debug, PartialEq)]
pub(crate) enum Command {
    /// Run, with these settings laid over the environment.
    Run(Environment),
    /// Print the description as JSON.
    Describe,
    /// Print the help text.
    Help,
    /// Print the version.
    Version,
}

/// Reads the arguments after the program's name.
///
/// `--some-name value`, `--some-name=value` and the brokers' old `--group.some-name` all mean the variable
/// `SOME_NAME` (`GROUP_SOME_NAME`). The old brokers' leading `start` and Knative's `--disable-ha` mean nothing.
pub(crate) fn parse(arguments: impl IntoIterator<Item = String>) -> Result<Command, String> {
    let mut settings = Environment::new();
    let mut arguments = arguments.into_iter().peekable();
    arguments.next_if(|first| first == "start");
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--describe" => return Ok(Command::Describe),
            "--help" | "-h" | "help" => return Ok(Command::Help),
            "--version" | "-V" => return Ok(Command::Version),
            "--disable-ha" => continue,
            _ => {}
        }
        let Some(flag) = argument.strip_prefix("--").filter(|flag| !flag.is_empty()) else {
            return Err(format!(
                "argument '{argument}' is not understood: settings are given as --name value"
            ));
        };
        let (name, value) = match flag.split_once('=') {
            Some((name, value)) => (name, value.to_owned()),
            None => {
                let value = arguments.next().ok_or_else(|| format!("--{flag} has no value"))?;
                (flag, value)
            }
        };
        settings.insert(name.replace(['-', '.'], "_").to_uppercase(), value);
    }
    Ok(Command::Run(settings))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(arguments: &[&str]) -> Result<Command, String> {
        parse(arguments.iter().map(|a| (*a).to_owned()))
    }

    #[test]
    fn every_setting_is_a_flag() {
        let expected = [("MEMORY_BUFFER_SIZE", "100"), ("PORT", "1")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(
            run(&["start", "--memory.buffer-size", "100", "--disable-ha", "--port=1"]),
            Ok(Command::Run(expected.into()))
        );
        assert_eq!(run(&["--port", "1", "--help"]), Ok(Command::Help));
        assert!(run(&["--port"]).is_err());
        assert!(run(&["begin"]).is_err());
    }
}
