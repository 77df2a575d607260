//! From records to mail text, Markdown, JSON lines and figures. Nothing is measured here.
//!
//! [`Summary::from_run`] is the one place where numbers are made from samples; text,
//! tables and figures all show what it holds, so that no two of them can disagree.
#![forbid(unsafe_code)]

#[cfg(test)]
extern crate self as report;

mod build;
mod diff;
mod figure;
mod number;
mod style;
mod summary;
mod text;

pub use diff::{Change, Diff, Floors, RowKey};
pub use figure::{FidelityRow, Figure, FigureError, fidelity_figure, figures, write_figures};
pub use style::{Marker, Style, sort_designs, style_of};
pub use summary::{
    Case, Cell, Context, Family, Mean, MemoryLine, Summary, ValueCase, ValueCell, WorkloadNote,
};
pub use text::{diff_json_lines, diff_mail, json_lines, mail, markdown};
