//! Loops over one capability each, with their parameters and analysis.
