//! Texts of a summary: the mail, Markdown and JSON lines.

mod again;
mod bar;
mod diff;
mod history;
mod json;
mod lockstep;
mod mail;
mod mail_tables;
mod markdown;
mod post;
mod screen;
mod words;

pub use diff::{diff_changed, diff_json_lines, diff_mail};
pub use history::{history_json_lines, history_text};
pub use json::json_lines;
pub use lockstep::{lockstep_json_lines, lockstep_markdown, lockstep_study, lockstep_text};
pub use mail::mail;
pub use markdown::markdown;
pub use post::{MAX_POST_LINES, post};
pub use screen::first_screen;
