//! One reader of the feed: what it missed first, then what is new, each item once.

use std::collections::HashSet;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio::time::Interval;
use tokio::time::MissedTickBehavior;

use crate::app::App;
use crate::app::Error;
use crate::app::watch::course::Course;
use crate::app::watch::course::Lot;
use crate::app::watch::course::Place;
use crate::app::watch::feed::News;
use crate::app::watch::moved::Cause;
use crate::app::watch::moved::Moved;
use crate::app::watch::moved::crosses;

/// What somebody wants to watch.
#[derive(Clone, Debug)]
pub struct Watching {
    pub tenant: Box<str>,
    pub from: From,
    pub filter: Filter,
    /// The longest silence.
    pub heartbeat: Duration,
}

/// Where to begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum From {
    Now,
    Beginning,
    Behind(Place),
}

/// Which items are told.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Filter {
    /// Empty: all.
    pub deals: HashSet<Box<str>>,
    pub owner: Option<Box<str>>,
    pub account: Option<Box<str>>,
    /// 0: all.
    pub change_min: f64,
    pub only_crossings: bool,
}

/// What a watcher is told.
#[derive(Clone, Debug, PartialEq)]
pub enum Told {
    Moved(Arc<Moved>),
    /// Nothing happened that it wants to know, up to here.
    Heartbeat(Place),
}

/// Why a stream ends. The place is where to go on.
#[derive(Debug)]
pub enum Ended {
    TooSlow(Place),
    Closing(Place),
    Failed(Error),
}

/// A reader of the feed.
pub struct Watcher {
    app: Arc<App>,
    tenant: Box<str>,
    filter: Filter,
    /// Up to where the reader was told.
    place: Place,
    /// Taken and not yet told, and the place behind it.
    waiting: VecDeque<Arc<Moved>>,
    waiting_end: Place,
    source: Source,
    /// The first heartbeat was told.
    greeted: bool,
    beat: Interval,
    closing: watch::Receiver<bool>,
}

/// Where items come from.
enum Source {
    /// Worked out by this watcher, while the feed already piles up.
    CatchingUp(Box<Course>, broadcast::Receiver<News>),
    /// The feed; `kept_up` once a lot was taken from it.
    Feed {
        news: broadcast::Receiver<News>,
        kept_up: bool,
    },
}

impl App {
    /// Begins to watch. From its first heartbeat on, which comes at once, nothing is missed.
    ///
    /// # Errors
    ///
    /// [`Error::PlaceUnknown`]: the place is not one of this store. [`Error::Store`]: it cannot be read.
    pub async fn watch(self: &Arc<Self>, watching: Watching) -> Result<Watcher, Error> {
        let Watching {
            tenant,
            from,
            filter,
            heartbeat,
        } = watching;
        let place = match from {
            From::Now => self.newest_place().await?,
            From::Beginning => Place::beginning(),
            From::Behind(place) => {
                if 0 < place.sequence && !self.is_there(place.sequence).await? {
                    return Err(Error::PlaceUnknown);
                }
                place
            }
        };
        let news = self.listen(&tenant).await?;
        let course = Course::new(Arc::clone(self), &tenant, place.clone());
        let mut beat = tokio::time::interval_at(Instant::now() + heartbeat, heartbeat);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Ok(Watcher {
            closing: self.feeds.closing(),
            app: Arc::clone(self),
            tenant,
            filter,
            waiting: VecDeque::new(),
            waiting_end: place.clone(),
            place,
            source: Source::CatchingUp(Box::new(course), news),
            greeted: false,
            beat,
        })
    }

    /// Set when streams are to end.
    pub fn closing(&self) -> watch::Receiver<bool> {
        self.feeds.closing()
    }

    /// Ends all streams: watchers are told where to go on.
    pub fn end_streams(&self) {
        self.feeds.close();
    }
}

impl Watcher {
    /// The next item or heartbeat; waits for it. After an end there is nothing more.
    ///
    /// May be dropped while it waits: nothing is lost or told twice.
    pub async fn next(&mut self) -> Result<Told, Ended> {
        loop {
            if *self.closing.borrow() {
                return Err(Ended::Closing(self.place.clone()));
            }
            while let Some(moved) = self.waiting.pop_front() {
                self.place = moved.place.clone();
                if self.filter.lets_through(&moved) {
                    self.beat.reset();
                    return Ok(Told::Moved(moved));
                }
            }
            self.place = self.waiting_end.clone();
            if !self.greeted || self.beat.tick().now_or_never().is_some() {
                self.greeted = true;
                return Ok(Told::Heartbeat(self.place.clone()));
            }
            match &mut self.source {
                Source::CatchingUp(..) => self.catch_up().await?,
                Source::Feed { news, .. } => {
                    let news = tokio::select! {
                        biased;
                        // An error means that the app is gone.
                        _ = self.closing.changed() => continue,
                        news = news.recv() => news,
                        _ = self.beat.tick() => return Ok(Told::Heartbeat(self.place.clone())),
                    };
                    self.hear(news).await?;
                }
            }
        }
    }

    /// Works out one lot of what was missed; turns to the feed when there is no more.
    async fn catch_up(&mut self) -> Result<(), Ended> {
        let Source::CatchingUp(course, news) = &mut self.source else {
            return Ok(());
        };
        // An error means that the semaphore was closed, which nobody does.
        let turn = self.app.feeds.catching_up.acquire().await;
        let lot = course.next().await.map_err(failed)?;
        drop(turn);
        match lot {
            Some(lot) => self.take(&lot),
            None => {
                let news = std::mem::replace(news, broadcast::channel(1).1);
                self.source = Source::Feed {
                    news,
                    kept_up: false,
                };
            }
        }
        Ok(())
    }

    async fn hear(&mut self, news: Result<News, RecvError>) -> Result<(), Ended> {
        match news {
            Ok(Ok(lot)) => {
                if let Source::Feed { kept_up, .. } = &mut self.source {
                    *kept_up = true;
                }
                self.take(&lot);
                Ok(())
            }
            Ok(Err(error)) => Err(failed(error)),
            Err(RecvError::Lagged(_))
                if matches!(self.source, Source::Feed { kept_up: true, .. }) =>
            {
                self.app.telemetry.metrics.watchers_cut.inc();
                Err(Ended::TooSlow(self.place.clone()))
            }
            // The feed went on while this one caught up, or ended: what was missed is worked out once more.
            Err(RecvError::Lagged(_) | RecvError::Closed) => {
                let news = self.app.listen(&self.tenant).await.map_err(failed)?;
                let course = Course::new(Arc::clone(&self.app), &self.tenant, self.place.clone());
                self.source = Source::CatchingUp(Box::new(course), news);
                Ok(())
            }
        }
    }

    /// Takes what is new of a lot: the feed tells again what was worked out while catching up.
    fn take(&mut self, lot: &Lot) {
        if lot.place <= self.place {
            return;
        }
        let new = lot.moved.iter().filter(|moved| self.place < moved.place);
        self.waiting.extend(new.cloned());
        self.waiting_end = lot.place.clone();
    }
}

impl Filter {
    fn lets_through(&self, moved: &Moved) -> bool {
        let is = |name: &Option<crate::domain::text::Name>, wanted: &str| {
            name.as_ref().is_some_and(|name| name.as_str() == wanted)
        };
        if !self.deals.is_empty() && !self.deals.contains(&moved.deal_id) {
            return false;
        }
        if let Some(owner) = &self.owner
            && !is(&moved.owner, owner)
            && !is(&moved.owner_before, owner)
        {
            return false;
        }
        if let Some(account) = &self.account
            && !is(&moved.account, account)
        {
            return false;
        }
        if self.only_crossings && !moved.band_crossed() && !moved.state_crossed() {
            return false;
        }
        let (before, after) = (moved.score_before(), moved.after.score);
        self.change_min <= 0.0
            || match moved.cause {
                Cause::Event(_) => self.change_min <= (after - before).abs(),
                Cause::Time(_) => crosses(before, after, self.change_min),
            }
    }
}

fn failed(error: crate::store::Error) -> Ended {
    Ended::Failed(error.into())
}
