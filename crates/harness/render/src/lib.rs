//! From findings to mail text, Markdown, JSON lines and figures. Nothing is measured or
//! compared here.
#![forbid(unsafe_code)]

#[cfg(test)]
extern crate self as render;

mod census;
mod claims;
mod context;
mod escape;
mod export;
mod fidelity;
mod figure;
mod gate;
mod history_page;
mod kernels;
mod number;
mod page;
mod params;
mod sensitivity;
mod stepped;
mod style;
mod table;
mod text;
mod time_fidelity;

pub use census::{census_json, census_page};
pub use claims::{claims_json, claims_markdown, claims_text};
pub use context::{Context, WorkloadNote};
pub use export::{Exported, bencher, csv, exported, exported_lines, github_action_benchmark};
pub use fidelity::{fidelity_line, fidelity_pairs, fidelity_rows, fidelity_words};
pub use figure::{
    Figure, FigureError, census_figure, fidelity_figure, figures, history_figures,
    kernel_history_figure, line_figures, time_fidelity_figure, write_figures,
};
pub use gate::{gate_json, gate_lines_json, gate_lines_page, gate_page};
pub use history_page::history_html;
pub use kernels::{kernel_changes, kernel_history_mail};
pub use page::Page;
pub use sensitivity::resolution_table;
pub use stepped::{stepped_loops, stepped_pairs, stepped_patches};
pub use style::{Marker, Style, sort_designs, style_of, use_looks};
pub use table::Table;
pub use text::{
    MAX_POST_LINES, diff_changed, diff_json_lines, diff_mail, first_screen, history_json_lines,
    history_text, json_lines, lockstep_json_lines, lockstep_page, lockstep_study, mail, post,
    report,
};
pub use time_fidelity::{
    alone_kernels, patched_kernels, time_fidelity_farthest, time_fidelity_line,
    time_fidelity_pairs, time_fidelity_rows,
};
