//! The figures that are only read when somebody scrapes: of the store, of folded deals, of the runtime.

use std::sync::Arc;

use tokio::runtime::Handle;

use crate::app::App;
use crate::store::Figures;
use crate::store::Store;
use crate::telemetry::metrics::Metrics;

/// Has each scrape ask the app, the store and the runtime of the caller, for as long as they live.
pub fn report(metrics: &Metrics, app: &Arc<App>, store: &Arc<dyn Store>) {
    let app = Arc::downgrade(app);
    let store = Arc::downgrade(store);
    let runtime = Handle::current().metrics();
    metrics.before_scrape(move |metrics| {
        if let Some(app) = app.upgrade() {
            metrics.deal_cache_bytes.set(signed(app.deal_cache_bytes()));
            metrics.watchers.set(signed(app.all_watchers() as u64));
            let lag = app.watch_lag_lots() as u64;
            metrics.watch_lag_lots.set(signed(lag));
        }
        if let Some(store) = store.upgrade() {
            let figures = store.figures();
            let to = &metrics.store;
            for (figure, gauge) in [
                (figures.queue_appends, &to.queue_appends),
                (figures.event_bytes, &to.kept_event_bytes),
                (figures.disk_bytes, &to.disk_bytes),
                (figures.free_bytes, &to.free_bytes),
                (figures.connections, &to.connections),
                (figures.connections_idle, &to.connections_idle),
                (figures.connections_wanted, &to.connections_wanted),
            ] {
                gauge.set(figure.map(|figure| figure as f64));
            }
            to.amplification.set(amplification(&figures));
        }
        let (workers, alive) = (runtime.num_workers(), runtime.num_alive_tasks());
        metrics.runtime_workers.set(signed(workers as u64));
        metrics.runtime_alive_tasks.set(signed(alive as u64));
        let depth = runtime.global_queue_depth() as u64;
        metrics.runtime_global_queue_depth.set(signed(depth));
    });
}

/// Bytes of disk for each byte of event; none where there are no events, or it is not known.
fn amplification(figures: &Figures) -> Option<f64> {
    let kept = figures.event_bytes.filter(|bytes| 0 < *bytes)?;
    Some(figures.disk_bytes? as f64 / kept as f64)
}

fn signed(figure: u64) -> i64 {
    i64::try_from(figure).unwrap_or(i64::MAX)
}
