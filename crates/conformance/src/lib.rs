//! The reference model, the laws and the case files that hold every design.
#![forbid(unsafe_code)]

pub mod case;
pub mod claim;
pub mod evaluate;
pub mod laws;
pub mod ledger;
pub mod reference;
mod under;
