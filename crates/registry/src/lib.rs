//! The list of designs; types are erased here, once per run.
