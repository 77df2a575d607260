//! Wire types of results, the store, and what a reader refuses.
