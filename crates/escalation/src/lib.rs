//! Pure: alarms, acts and time to cases and notifications.
