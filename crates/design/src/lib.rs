//! The traits every design implements, and the descriptor slots they are built from.
