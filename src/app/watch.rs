//! The feed of changes: what moved each deal, in one order, told to any number of watchers.
//!
//! The store's change sequence is the truth. A `course` walks it from any place and makes the same items of it each
//! time, so a watcher that was away walks by itself until it has caught up. From then on it takes what one task, the
//! `feed`, works out once for all of them. Whoever is late in either is never waited for.
//!
//! The files in reading order: `moved` (an item), `course` (the order), `folds` and `sweep` (what changes and midnights
//! make of it), `feed` (shared by all), `watcher` (one reader).

mod course;
mod feed;
mod folds;
mod moved;
mod sweep;
mod watcher;

pub use crate::app::watch::course::Place;
pub use crate::app::watch::course::Swept;
pub(super) use crate::app::watch::feed::Feeds;
pub use crate::app::watch::moved::Cause;
pub use crate::app::watch::moved::Kind;
pub use crate::app::watch::moved::Moved;
pub use crate::app::watch::moved::Standing;
pub use crate::app::watch::watcher::Ended;
pub use crate::app::watch::watcher::Filter;
pub use crate::app::watch::watcher::From;
pub use crate::app::watch::watcher::Told;
pub use crate::app::watch::watcher::Watcher;
pub use crate::app::watch::watcher::Watching;
