//! sled's trees: the facts, and the projections that are derived from them.
//!
//! Nothing here is guarded, counted or durable: that is the engine's.

use std::path::Path;
use std::sync::Arc;
use std::sync::PoisonError;
use std::sync::RwLock;

use crate::store::DealKey;
use crate::store::Projection;
use crate::store::embedded::Options;
use crate::store::embedded::frames;
use crate::store::embedded::frames::Unreadable;
use crate::store::embedded::keys;
use crate::store::embedded::reads;
use crate::store::embedded::tidy;

pub struct Trees {
    pub db: sled::Db,
    pub facts: sled::Tree,
    // Locked because a projection of several parts is read part by part.
    projections: RwLock<sled::Tree>,
}

impl Trees {
    /// Opens sled in a directory.
    pub fn open(directory: &Path, options: &Options) -> sled::Result<Trees> {
        let db = sled::Config::new()
            .path(directory)
            .cache_capacity(options.cache_bytes)
            // Nothing is flushed behind a service's back: each group is, before it is acknowledged.
            .flush_every_ms(options.is_tidy.then_some(tidy::EVERY_MS))
            .open()?;
        let facts = db.open_tree("facts")?;
        let projections = RwLock::new(db.open_tree("projections")?);
        Ok(Trees {
            db,
            facts,
            projections,
        })
    }

    /// The projection of a deal that was written.
    pub fn projection(&self, deal: &DealKey) -> Result<Option<Projection>, Unreadable> {
        let projections = self
            .projections
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        reads::projection(&projections, &keys::projection(deal))
    }

    /// Writes projections, each unless a newer one is there.
    pub fn write_projections(&self, lot: &[(DealKey, Arc<Projection>)]) -> sled::Result<()> {
        let projections = self
            .projections
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        let mut batch = sled::Batch::default();
        for (deal, projection) in lot {
            add_projection(&mut batch, &projections, deal, projection)?;
        }
        projections.apply_batch(batch)
    }

    /// Forgets all projections.
    pub fn clear_projections(&self) -> sled::Result<()> {
        let projections = self
            .projections
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        projections.clear()
    }
}

fn add_projection(
    batch: &mut sled::Batch,
    projections: &sled::Tree,
    deal: &DealKey,
    projection: &Projection,
) -> sled::Result<()> {
    let key = keys::projection(deal);
    let mut parts_before = 0;
    for item in projections.range(key.clone()..keys::behind(&key)) {
        let (part_key, value) = item?;
        // A broken one is replaced, whatever its revision was.
        if *part_key == *key
            && let Ok((revision, _)) = frames::head(&key, &value)
            && projection.revision < revision
        {
            return Ok(());
        }
        parts_before += 1;
    }
    let parts = frames::put(batch, &key, projection.revision, &projection.bytes);
    frames::remove_from(batch, &key, parts, parts_before);
    Ok(())
}
