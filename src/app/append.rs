//! The one way from the use cases to the store's append: what became of it is counted and traced.

use tracing::Instrument;
use tracing::field;

use crate::app::App;
use crate::store::DealKey;
use crate::store::Error;
use crate::store::Revision;
use crate::telemetry::metrics::store::Appended;

impl App {
    /// As [`crate::store::Store::append`].
    pub(super) async fn append(
        &self,
        deal: &DealKey,
        expected: Revision,
        events: Vec<Vec<u8>>,
    ) -> Result<Revision, Error> {
        let store = &self.telemetry.metrics.store;
        let bytes: usize = events.iter().map(Vec::len).sum();

        // The store tells the size of the group that the append was made durable in.
        let span = tracing::debug_span!("append", group.appends = field::Empty);
        let outcome = self.store.append(deal, expected, events);
        let outcome = outcome.instrument(span).await;

        store.appended(match &outcome {
            Ok(_) => Appended::Ok,
            Err(Error::Conflict { .. }) => Appended::Conflict,
            Err(Error::Busy { .. }) => Appended::Busy,
            Err(Error::Full { .. }) => Appended::Full,
            Err(Error::Unknown(_)) => Appended::Unknown,
            Err(
                Error::Closed
                | Error::OutOfRange(_)
                | Error::Fault(_)
                | Error::Unavailable(_)
                | Error::Corrupt { .. },
            ) => Appended::Fault,
        });
        if outcome.is_ok() {
            store.event_bytes.inc_by(bytes as u64);
        }
        outcome
    }
}
