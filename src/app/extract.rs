//! Reading quotes: by the reader that the user brings while it answers in time and well, else by our own.
//!
//! Quotes are read before the deal's turn is taken, and once: what was read is kept with the statement.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::time::Duration;

use async_trait::async_trait;
use tokio::time::Instant as Tick;
use tokio::time::timeout;
use tracing::Instrument;

use crate::app::App;
use crate::app::breaker::Breaker;
use crate::domain::statement::Claim;
use crate::domain::statement::Quote;
use crate::domain::statement::Statement;
use crate::domain::text::Language;
use crate::domain::text::Prose;
use crate::domain::text::UNSUPPORTED;
use crate::domain::time::Instant;
use crate::language::Extractor;
use crate::language::Heard;
use crate::language::Reading;
use crate::telemetry::metrics::Metrics;

/// The language that our own reader reads.
const ENGLISH: &str = "en";

/// Words to be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spoken {
    pub quote: Quote,
    /// The seller's words just before.
    pub context: Prose<4096>,
    pub said_at: Instant,
}

/// What was read.
#[derive(Clone, Debug, PartialEq)]
pub struct Extraction {
    /// Each of source EXTRACTED.
    pub claims: Vec<Claim>,
    pub read: Read,
}

/// By whom words were read, and in which language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Read {
    pub by: QuoteReader,
    pub language: Language,
}

/// Who reads quotes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QuoteReader {
    Local,
    External,
}

/// A reader that the user brings.
#[async_trait]
pub trait ClaimExtractor: Send + Sync {
    /// The claims that the words make, all of them such as may be kept.
    ///
    /// # Errors
    ///
    /// A sentence for the log, without any of the words.
    async fn extract(&self, spoken: &Spoken) -> Result<Extraction, String>;
}

/// The user's reader, and whether it is well.
pub struct External {
    extractor: Arc<dyn ClaimExtractor>,
    /// It is not waited for any longer.
    deadline: Duration,
    breaker: Mutex<Breaker>,
}

impl App {
    /// Lets `extractor` read quotes, each within `deadline`; what it does not read well is read as without it.
    pub fn with_extractor(mut self, extractor: Arc<dyn ClaimExtractor>, deadline: Duration) -> App {
        self.external = Some(External {
            extractor,
            deadline,
            breaker: Mutex::default(),
        });
        self
    }

    /// The claims that words make. Never fails, and takes no longer than the deadline and our own reading.
    pub async fn extract(&self, spoken: &Spoken) -> Extraction {
        if let Some(external) = &self.external
            && let Some(extraction) = external.read(spoken, &self.telemetry.metrics).await
        {
            return extraction;
        }
        read_here(spoken)
    }

    /// The statement with its claims: those given, else those read from its quote, and then by whom.
    pub(super) async fn with_claims(&self, statement: &Statement) -> (Statement, Option<Read>) {
        if !statement.claims.is_empty() {
            return (statement.clone(), None);
        }
        let spoken = Spoken {
            quote: statement.quote.clone(),
            context: statement.context.clone(),
            said_at: statement.said_at,
        };
        let Extraction { claims, read } = self.extract(&spoken).await;
        let statement = Statement {
            claims,
            ..statement.clone()
        };
        (statement, Some(read))
    }
}

impl External {
    /// What the user's reader makes of the words; `None` when it is not to be asked, late, at fault, or does not read the
    /// language.
    async fn read(&self, spoken: &Spoken, metrics: &Metrics) -> Option<Extraction> {
        let ended = |outcome| metrics.extractor_requests(outcome).inc();
        if !self.breaker().lets_through(Tick::now()) {
            ended("rested");
            return None;
        }
        let asked = self.extractor.extract(spoken);
        let asked = timeout(self.deadline, asked).instrument(tracing::debug_span!("extract"));
        let problem = match asked.await {
            Ok(Ok(extraction)) => {
                self.breaker().succeeded();
                ended("answered");
                // What it does not read we may.
                let is_read = extraction.read.language.as_str() != UNSUPPORTED;
                return is_read.then_some(extraction);
            }
            Ok(Err(problem)) => {
                ended("failed");
                problem
            }
            Err(_) => {
                ended("late");
                format!("it took longer than {} ms", self.deadline.as_millis())
            }
        };
        let rests = self.breaker().failed(Tick::now());
        tracing::warn!(
            problem,
            rests,
            "the extractor did not read a quote; it was read without it"
        );
        None
    }

    fn breaker(&self) -> MutexGuard<'_, Breaker> {
        // It only counts: there is nothing half done to find in it.
        self.breaker.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn read_here(spoken: &Spoken) -> Extraction {
    let heard = Heard {
        quote: spoken.quote.as_str(),
        context: spoken.context.as_str(),
        said_on: Some(spoken.said_at.date()),
    };
    let (claims, language) = match Extractor::compiled().read(heard) {
        Reading::Claims(claims) => (claims, ENGLISH),
        Reading::Unsupported => (Vec::new(), UNSUPPORTED),
    };
    Extraction {
        claims,
        read: Read {
            by: QuoteReader::Local,
            language: Language::new(language).expect("these two are short and printable"),
        },
    }
}
