//! Clock, interleaving, sampling and environment.
