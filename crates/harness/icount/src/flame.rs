//! Flame graphs of counted loops.

use std::path::{Path, PathBuf};

use inferno::flamegraph::{self, Options};
use results::Loop;

use crate::origin::Stack;

/// Draws one loop into `folder`; returns the file.
///
/// # Errors
/// In words, that the file cannot be written or the stacks cannot be drawn.
pub fn draw(folder: &Path, of: &Loop, stacks: &[Stack]) -> Result<PathBuf, String> {
    let mut lines: Vec<String> = stacks
        .iter()
        .map(|(stack, instructions)| {
            // The format knows `;` between frames and a space before the count.
            let names = stack.iter().map(|frame| frame.name.replace(';', ","));
            format!("{} {instructions}", names.collect::<Vec<_>>().join(";"))
        })
        .collect();
    lines.sort();
    let mut options = Options::default();
    options.title = of.to_string();
    options.count_name = "instructions".to_owned();
    options.deterministic = true;
    let mut svg = Vec::new();
    let path = folder.join(file_name(of));
    flamegraph::from_lines(&mut options, lines.iter().map(String::as_str), &mut svg)
        .map_err(|error| format!("{}: cannot be drawn: {error}", path.display()))?;
    let written = std::fs::create_dir_all(folder).and_then(|()| std::fs::write(&path, svg));
    written.map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(path)
}

/// `iteration-chunks-headpage-6.12-order9.svg`.
fn file_name(of: &Loop) -> String {
    let order = of.params.get("order");
    let order = order.map_or(String::new(), |order| format!("-order{order}"));
    let workload = of.workload.replace('/', "-");
    format!("{workload}-{}-{}{order}.svg", of.design, of.rules)
}
