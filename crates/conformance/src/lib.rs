//! The reference model, the laws and the case files that hold every design.
