//! The price of types: in time, and in bytes of machine code.

pub mod dispatch;
pub mod size;
