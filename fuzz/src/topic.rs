//! Any topic: what must hold of where it points.

use model::{Plant, TagId, Timestamp};
use watchfire_ingest::topic::{Place, of_batch, of_siren, of_tag, parse};
use watchfire_ingest::{Decoded, Decoder, RejectReason};

/// Reads a topic, writes it again, and decodes a reading that came on it.
pub fn check(plant: &Plant, received: Timestamp, topic: &[u8]) {
    let place = parse(topic);
    let written = place.as_ref().map(|place| match place {
        Place::Tag { enterprise, tag } => of_tag(&TagId::new(&**enterprise, tag)),
        Place::Batch { enterprise } => of_batch(&(&**enterprise).into()),
        Place::Siren { enterprise, zone } => of_siren(&(&**enterprise).into(), &(&**zone).into()),
    });
    if let Some(written) = &written {
        assert_eq!(parse(written.as_bytes()), place, "a topic survives being written: {written}");
    }
    let mut decoded = Decoded::default();
    Decoder::new(plant).decode(plant, topic, br#"{"value":1}"#, received, &mut decoded);
    match place {
        Some(Place::Tag { enterprise, tag }) => {
            assert_eq!(decoded.readings.len() + decoded.rejects.len(), 1);
            if let [reading] = decoded.readings.as_slice() {
                assert_eq!(plant.tag(reading.tag).id, TagId::new(&*enterprise, tag));
            }
        }
        Some(Place::Batch { .. }) => assert!(decoded.readings.is_empty() && decoded.rejects.len() == 1),
        Some(Place::Siren { .. }) | None => assert_eq!(decoded.rejects[0].reason, RejectReason::BadTopic),
    }
}
