//! From records to mail text, Markdown, JSON lines and figures. Nothing is measured here.
//!
//! [`Summary::from_run`] is the one place where numbers are made from samples; text,
//! tables and figures all show what it holds, so that no two of them can disagree.
#![forbid(unsafe_code)]

#[cfg(test)]
extern crate self as report;

mod build;
mod diff;
mod export;
mod figure;
mod history;
mod history_page;
mod number;
mod resolution;
mod style;
mod summary;
mod text;

pub use diff::{Change, Diff, FloorSource, Floors, RowKey};
pub use export::{Exported, bencher, csv, exported, exported_lines, github_action_benchmark};
pub use figure::{
    FidelityRow, Figure, FigureError, KernelLine, KernelUnit, fidelity_figure, figures,
    history_figures, kernel_history_figure, write_figures,
};
pub use history::{Entry, History, HistoryError, HistoryRun, MachineHistory};
pub use history_page::history_html;
pub use resolution::{Resolution, Tally, resolution_table};
pub use style::{Marker, Style, sort_designs, style_of};
pub use summary::{
    Case, Cell, Context, Family, Mean, MemoryLine, Summary, ValueCase, ValueCell, WorkloadNote,
};
pub use text::{
    diff_changed, diff_json_lines, diff_mail, history_json_lines, history_text, json_lines, mail,
    markdown,
};
