//! What a service said on a past day it says again when asked for that day.

use std::sync::Arc;

use proptest::prelude::*;
use verbatim::app::App;
use verbatim::app::Error;
use verbatim::app::Query;
use verbatim::app::Recording;
use verbatim::clock::ManualClock;
use verbatim::domain::event::Fact;
use verbatim::domain::facts::Confirmation;
use verbatim::domain::score::Score;
use verbatim::domain::text::Id;
use verbatim::domain::time::Instant;
use verbatim::domain::time::Span;
use verbatim::model_file;
use verbatim::store::DealKey;
use verbatim::store::memory::Memory;

use crate::histories::effective_at;
use crate::histories::history;
use crate::histories::judgement;
use crate::support::run;

/// An answer and the moment at which it was given.
struct Answer {
    given_at: Instant,
    score: Score,
}

fn key() -> DealKey {
    DealKey {
        tenant: "default".into(),
        deal: "opp-1".into(),
    }
}

/// Lives through a history, asking for the score after each event.
async fn live(app: &Arc<App>, clock: &ManualClock, told: Vec<(Instant, Fact)>) -> Vec<Answer> {
    let mut answers = Vec::new();
    for (told_at, fact) in told {
        clock.set(told_at);
        match write_to(app, &key(), fact).await {
            // A random history does not mind its own ending.
            Ok(()) | Err(Error::DealClosed { .. }) => {}
            // Nor does a person whose judgement is of a statement that came after the end.
            Err(Error::StatementNotFound { .. } | Error::DealNotFound(_)) => {}
            Err(error) => panic!("{error}"),
        }
        if let Ok(scored) = app.score(Query::now(key())).await {
            answers.push(Answer {
                given_at: told_at,
                score: scored.score,
            });
        }
    }
    answers
}

/// Writes what a history says next.
pub async fn write_to(app: &Arc<App>, key: &DealKey, fact: Fact) -> Result<(), Error> {
    match fact {
        Fact::Deal(facts) => app.upsert_deal(key, facts, None).await.map(drop),
        Fact::Stakeholder(facts) => {
            let written = app.upsert_stakeholders(key, vec![facts], None);
            written.await.map(drop)
        }
        Fact::Milestone(facts) => {
            let written = app.upsert_milestones(key, vec![facts], None);
            written.await.map(drop)
        }
        Fact::Ending(ending) => app.record_outcome(key, ending, None).await.map(drop),
        Fact::Confirmation(confirmation) => {
            let confirmed = app.confirm_claims(key.clone(), confirmation, None);
            confirmed.await.map(drop)
        }
        Fact::Retraction(retraction) => {
            let written = app.retract_statement(key, retraction, None);
            written.await.map(drop)
        }
        Fact::Statement(statement) => {
            let recording = Recording {
                deal: key.clone(),
                statement,
                said_at_defaulted: false,
                expected_revision: None,
                validate_only: false,
            };
            app.record(recording).await.map(drop)
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn a_past_day_is_answered_as_it_was_answered_then(
        facts in history(),
        late_hours in prop::collection::vec(0..500_i32, 40),
        judged in prop::collection::vec((any::<prop::sample::Index>(), judgement(), 0..900_i32), 0..6),
    ) {
        let mut told: Vec<(Instant, Fact)> = facts
            .into_iter()
            .zip(late_hours)
            .map(|(fact, late)| (effective_at(&fact).plus(Span::minutes(60 * late)), fact))
            .collect();
        let said: Vec<(Instant, Id)> = told
            .iter()
            .filter_map(|(told_at, fact)| match fact {
                Fact::Statement(statement) => Some((*told_at, statement.id.clone())),
                _ => None,
            })
            .collect();
        let judged = judged.into_iter().filter(|_| !said.is_empty()).zip(1..);
        for ((which, claims, later), minute) in judged {
            let (told_at, statement) = which.get(&said).clone();
            let confirmation = Confirmation::new(statement, claims, None);
            // Never in the very moment of the statement or of another judgement of it: an answer given
            // between two events of one moment cannot be asked for again by that moment.
            let confirmed_at = told_at.plus(Span::minutes(60 * later + minute));
            told.push((confirmed_at, Fact::Confirmation(confirmation)));
        }
        told.sort_by_key(|(told_at, _)| *told_at);
        let Some((first_at, _)) = told.first() else {
            return Ok(());
        };
        let clock = Arc::new(ManualClock::at(*first_at));
        let model = Arc::new(model_file::default().clone());
        let app = Arc::new(App::new(Arc::new(Memory::new()), clock.clone(), model, 1 << 20));

        run(async {
            for Answer { given_at, score } in live(&app, &clock, told).await {
                let query = Query {
                    as_of: Some(score.as_of),
                    known_at: Some(given_at),
                    ..Query::now(key())
                };
                let again = app.score(query).await.unwrap();
                prop_assert_eq!(again.score, score);
            }
            Ok(())
        })?;
    }
}
