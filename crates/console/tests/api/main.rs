//! The console over real sockets, with a fake engine and a county of two enterprises.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

// The short name that the rest of the workspace uses.
extern crate watchfire_console as console;

mod acting;
mod hardening;
mod history;
mod live;
mod login;
mod plant;
mod scope;
mod site;
mod steered;
mod windows;
mod words;
