//! MQTT sources, payload decoders and quarantine.
