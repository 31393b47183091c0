//! Outbox to channels.
