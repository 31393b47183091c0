//! A plant that behaves.
