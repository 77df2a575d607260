//! The commands that make a run again.

use compare::Summary;
use results::Environment;
use results::look::KERNEL;

/// The command that makes the run again, without the place of its results.
pub(super) fn again(summary: &Summary) -> Vec<String> {
    let env = &summary.env;
    let mut words: Vec<String> = Vec::new();
    if let Some(git) = &env.git {
        let short = git.revision.get(..12).unwrap_or(&git.revision);
        words.extend(["git", "checkout"].map(str::to_owned));
        words.push(format!("{short};"));
    }
    words.extend(["cargo", "folioscope"].map(str::to_owned));
    let mut skip = false;
    for arg in env.command.iter().skip(1) {
        if std::mem::take(&mut skip) || arg.starts_with("--out=") {
            continue;
        }
        skip = arg == "--out";
        if !skip {
            words.push(quoted(arg));
        }
    }
    words
}

/// An argument as a shell takes it.
fn quoted(arg: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_=./,:+@%".contains(c);
    match !arg.is_empty() && arg.chars().all(plain) {
        true => arg.to_owned(),
        false => format!("'{}'", arg.replace('\'', "'\\''")),
    }
}

/// The commands that make this run again.
pub(crate) fn reproduce(summary: &Summary) -> Vec<String> {
    let env = &summary.env;
    let mut commands = Vec::new();
    if let Some(git) = &env.git {
        commands.push(format!("git checkout {}", git.revision));
    }
    commands.extend(builds(&summary.designs));
    let arguments = env.command.get(1..).unwrap_or_default();
    let seeded = arguments
        .iter()
        .any(|arg| arg == "--seed" || arg.starts_with("--seed="));
    let args = Environment {
        command: arguments.to_vec(),
        ..env.clone()
    }
    .command_line();
    let seed = if seeded {
        String::new()
    } else {
        format!(" --seed {}", env.seed)
    };
    commands.push(format!("cargo folioscope {args}{seed}"));
    commands
}

/// The commands that build the kernels among these contenders. A tree of one's own is not known
/// by its name.
fn builds(contenders: &[String]) -> Vec<String> {
    let names = contenders
        .iter()
        .filter_map(|name| name.strip_prefix(KERNEL));
    let (patched, stock): (Vec<&str>, Vec<&str>) = names
        .filter(|name| !name.contains('@'))
        .partition(|name| name.contains('+'));
    let mut commands = Vec::new();
    if !stock.is_empty() {
        commands.push(format!("cargo folioscope kernel build {}", stock.join(" ")));
    }
    commands.extend(patched.into_iter().map(|name| {
        format!(
            "cargo folioscope kernel build {}",
            name.replace('+', " --patch ")
        )
    }));
    commands
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_of_a_run_are_built_by_name() {
        let names = [
            "flat",
            "linux-5.10",
            "linux-6.12",
            "linux-6.12+headpage+headpage-assert",
            "linux-6.13@mine",
        ];
        let build = "cargo folioscope kernel build";
        assert_eq!(
            builds(&names.map(str::to_owned)),
            [
                format!("{build} 5.10 6.12"),
                format!("{build} 6.12 --patch headpage --patch headpage-assert"),
            ]
        );
        assert!(builds(&["flat".to_owned()]).is_empty());
    }
}
