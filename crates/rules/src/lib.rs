//! Pure: readings to alarm transitions.
