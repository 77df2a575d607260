//! Sources and compiler of the tool, as the build script found it.

use results::{Environment, Git, command_without_paths};

use crate::failure::Failure;

/// The revision of the sources; `None` outside a git work tree.
pub(crate) fn git() -> Option<Git> {
    let revision = env!("FOLIOSCOPE_REVISION");
    (!revision.is_empty()).then(|| Git {
        revision: revision.to_owned(),
        dirty: env!("FOLIOSCOPE_DIRTY") == "true",
    })
}

/// The revision as the name of a folder has it: eight digits, `+` for changes on top.
pub(crate) fn short_revision() -> String {
    git().map_or("norev".to_owned(), |git| {
        let digits: String = git.revision.chars().take(8).collect();
        digits + if git.dirty { "+" } else { "" }
    })
}

/// The environment of a run that begins now.
pub(crate) fn environment() -> Environment {
    let args: Vec<String> = std::env::args_os()
        .map(|arg| arg.to_string_lossy().into_owned())
        .collect();
    Environment {
        tool: env!("CARGO_PKG_VERSION").to_owned(),
        command: command_without_paths(&args),
        date_utc: measure::machine::now_utc(),
        git: git(),
        rustc: env!("FOLIOSCOPE_RUSTC").to_owned(),
        target: env!("FOLIOSCOPE_TARGET").to_owned(),
        profile: Some(profile().to_owned()),
        ..measure::machine::environment()
    }
}

/// How this program was built: the times of one that checks overflows are not published.
fn profile() -> &'static str {
    if cfg!(debug_assertions) {
        Environment::DEBUG
    } else {
        "optimised"
    }
}

/// Refuses to measure with a build that is not optimised, unless that was asked for.
///
/// # Errors
/// [`Failure::Usage`] with the command that builds one that is.
pub(crate) fn optimised(allow_debug: bool) -> Result<(), Failure> {
    if allow_debug || profile() != Environment::DEBUG {
        return Ok(());
    }
    Err(Failure::Usage(
        "this is an unoptimised build: its times and counts say nothing about the code that is \
         compared; `cargo folioscope` builds one that is optimised, --allow-debug measures this one"
            .to_owned(),
    ))
}
