//! The JSON of the API. Only this crate knows it; the words of `model` keep their names, times are epoch milliseconds.
//!
//! Episode and announcement keys are the exception: they are handed out and taken back exactly as `model` serialises them
//! (microseconds), so that an act names what its sender was shown and nothing else.

mod act;
mod case;
mod config;
mod event;
mod history;
mod message;
mod names;
mod overview;
mod session;
mod tag;
mod window;

pub(crate) use act::*;
pub(crate) use case::*;
pub use config::*;
pub(crate) use event::*;
pub(crate) use history::*;
pub(crate) use message::*;
pub(crate) use names::*;
pub(crate) use overview::*;
pub(crate) use session::*;
pub(crate) use tag::*;
pub(crate) use window::*;
