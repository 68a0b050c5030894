//! An archive of all there is, for whoever runs the service.

use std::sync::Arc;

use crate::app::App;
use crate::app::Error;
use crate::store::archive::Export;

impl App {
    /// Begins an archive of what was recorded so far, or up to sequence `until` if that is less.
    pub async fn back_up(&self, until: u64) -> Result<Export, Error> {
        Ok(Export::begin(Arc::clone(&self.store), until).await?)
    }
}
