//! Configuration files to a checked plant.
