//! The folio design.
