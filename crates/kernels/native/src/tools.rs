//! Host tools that a kernel's build needs.

use std::path::Path;

use crate::BuildError;

/// A program and the package that has it.
const PROGRAMS: [(&str, &str); 9] = [
    ("gcc", "gcc"),
    ("ld", "binutils"),
    ("make", "make"),
    ("flex", "flex"),
    ("bison", "bison"),
    ("bc", "bc"),
    ("perl", "perl"),
    ("patch", "patch"),
    ("xz", "xz-utils"),
];

/// A header and the package that has it.
const HEADERS: [(&str, &str); 2] = [("gelf.h", "libelf-dev"), ("stdio.h", "libc6-dev")];

/// Looks for all of it.
///
/// # Errors
/// [`BuildError::Tools`] names what is missing and the command that installs it.
pub fn check() -> Result<(), BuildError> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders: Vec<_> = std::env::split_paths(&path).collect();
    missing(
        |program| folders.iter().any(|dir| dir.join(program).is_file()),
        |header| Path::new("/usr/include").join(header).is_file(),
    )
}

fn missing(
    program: impl Fn(&str) -> bool,
    header: impl Fn(&str) -> bool,
) -> Result<(), BuildError> {
    let programs = PROGRAMS.iter().filter(|(name, _)| !program(name));
    let headers = HEADERS.iter().filter(|(name, _)| !header(name));
    let (missing, packages): (Vec<_>, Vec<_>) = programs
        .chain(headers)
        .map(|&(name, package)| (name.to_owned(), package.to_owned()))
        .unzip();
    if missing.is_empty() {
        Ok(())
    } else {
        Err(BuildError::Tools { missing, packages })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_named_with_the_command_that_installs_it() {
        let error = missing(|name| name != "flex", |name| name != "gelf.h")
            .unwrap_err()
            .to_string();
        assert!(error.contains("needs flex, gelf.h"), "{error}");
        assert!(error.contains("apt-get install flex libelf-dev"), "{error}");
        assert!(missing(|_| true, |_| true).is_ok());
    }
}
