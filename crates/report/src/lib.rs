//! From records to mail text, Markdown and figures.
