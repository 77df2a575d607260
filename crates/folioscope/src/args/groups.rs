//! The commands in groups, as `--help` lists them: four first, then the others by purpose.

use clap::{Command, CommandFactory, FromArgMatches};
use std::ffi::OsString;
use std::fmt::Write as _;

use super::Cli;

/// The groups, in order, and the commands of each.
const GROUPS: &[(&str, &[&str])] = &[
    ("Begin with these", &["compare", "claims", "diff", "kernel"]),
    (
        "Show and share a run",
        &[
            "report", "plot", "post", "export", "history", "merge", "import",
        ],
    ),
    (
        "Designs, models, kernels",
        &["list", "verify", "fidelity", "cases", "capture", "census"],
    ),
    ("Measure and guard", &["measure", "gate", "resolution"]),
    ("The tool itself", &["completions", "help"]),
];

/// Parses the arguments, the program's name first.
///
/// # Errors
/// Prints clap's refusals; help and version arrive here too.
pub(crate) fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Cli, clap::Error> {
    Cli::from_arg_matches(&grouped(Cli::command()).try_get_matches_from(args)?)
}

/// The command with its subcommands in groups: clap lists them in one.
fn grouped(command: Command) -> Command {
    let list = list(&command);
    command.help_template(format!(
        "{{about-with-newline}}\n{{usage-heading}} {{usage}}\n\n{list}Options:\n{{options}}{{after-help}}"
    ))
}

fn list(command: &Command) -> String {
    let mut text = String::new();
    for (title, names) in GROUPS {
        // Writing to a string does not fail.
        let _ = writeln!(text, "{title}:");
        for name in *names {
            let about = match command.find_subcommand(name) {
                Some(found) => found.get_about().map(ToString::to_string),
                None => Some("Print this message or the help of a command".to_owned()),
            };
            let _ = writeln!(text, "  {name:<11}  {}", about.unwrap_or_default());
        }
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_command_is_in_one_group() {
        let command = Cli::command();
        let shown: BTreeSet<&str> = command
            .get_subcommands()
            .filter(|one| !one.is_hide_set())
            .map(Command::get_name)
            .chain(["help"])
            .collect();
        let listed: Vec<&str> = GROUPS.iter().flat_map(|group| group.1).copied().collect();
        assert_eq!(listed.iter().copied().collect::<BTreeSet<_>>(), shown);
        assert_eq!(listed.len(), shown.len(), "no duplicates");
    }
}
