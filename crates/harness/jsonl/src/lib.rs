//! JSON lines on disk: one strict reader, one atomic writer.
//!
//! A record is a header line that announces its rows, then the rows, each a JSON object on a
//! line of its own. A reader takes a record as a whole or refuses it, naming file, line and
//! field. Duplicate keys, anything after the object of a line, a newer schema, a missing or
//! an extra row are refused wherever a record is read. A writer leaves the old file or the
//! new one, also when the power fails, never a part.
#![forbid(unsafe_code)]

mod error;
mod list;
mod read;
mod strict;
mod write;

pub use error::Error;
pub use list::{read_list, record, record_from_bytes, stream, write_list};
pub use read::{At, MAX_BYTES, Reader, Tail, bytes, document, whole_lines};
pub use write::{line, lines, sync_folder, write_whole};
