//! Texts of a summary: the report, the first screen, JSON lines.

mod again;
mod bar;
mod diff;
mod history;
mod json;
mod lockstep;
mod mail;
mod mail_tables;
mod post;
mod screen;
mod words;

pub use diff::{diff_changed, diff_json_lines, diff_mail};
pub use history::{history_json_lines, history_text};
pub use json::json_lines;
pub use lockstep::{lockstep_json_lines, lockstep_page, lockstep_study};
pub use mail::{mail, report};
pub use post::{MAX_POST_LINES, post};
pub use screen::first_screen;
