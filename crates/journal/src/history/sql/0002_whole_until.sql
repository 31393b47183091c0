-- Up to here, in the engine's time, everything that was taken is written: a crash has lost nothing from before.
ALTER TABLE meta ADD COLUMN whole_until INTEGER;
