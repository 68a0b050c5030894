//! A whole conversation into statements, in one write: all of them or none.

use std::sync::Arc;

use futures_util::StreamExt;
use futures_util::stream;

use uuid::Uuid;

use crate::app::App;
use crate::app::Error;
use crate::app::Query;
use crate::app::Scored;
use crate::app::aside::aside;
use crate::app::deals::Folded;
use crate::app::deals::SharedDeal;
use crate::app::error::expect;
use crate::app::error::refused;
use crate::conversation;
use crate::conversation::Conversation;
use crate::conversation::Format;
use crate::conversation::Remark;
use crate::conversation::Written;
use crate::conversation::draft;
use crate::conversation::draft::Cast;
use crate::conversation::draft::Draft;
use crate::conversation::draft::Drafted;
use crate::conversation::draft::Setting;
use crate::conversation::draft::Skipped;
use crate::domain::deal::Deal;
use crate::domain::decide;
use crate::domain::statement::Speaker;
use crate::domain::statement::Statement;
use crate::domain::statement::Voice;
use crate::domain::text::Id;
use crate::domain::text::Line;
use crate::domain::text::Name;
use crate::domain::time::Instant;
use crate::domain::topic::Channel;
use crate::store::DealKey;
use crate::store::EVENTS_MAX;
use crate::wire::reading::AHEAD_MAX;
use crate::wire::reading::Origin;
use crate::wire::reading::Path;
use crate::wire::reading::Reading;

/// A transcript or an email to take in.
#[derive(Clone, Debug)]
pub struct Import {
    pub deal: DealKey,
    /// `None`: derived from what the file says.
    pub id: Option<Id>,
    pub content: Vec<u8>,
    /// `None`: recognised.
    pub format: Option<Format>,
    /// `None`: as the file says.
    pub held_at: Option<Instant>,
    pub cast: Cast,
    /// Take what was understood.
    pub partial: bool,
    pub validate_only: bool,
    pub expected_revision: Option<u64>,
    /// `None`: as the format has it.
    pub channel: Option<Channel>,
    pub source_uri: Line<2048>,
}

/// An import that was taken and what it did.
pub struct Imported {
    pub id: Id,
    pub conversation: Conversation,
    pub taken: Vec<Taken>,
    pub skipped: Vec<Skipped>,
    pub score: Scored,
    /// `None` when nothing was recorded.
    pub score_before: Option<f64>,
    pub revision: u64,
}

/// A statement of an import.
pub struct Taken {
    /// As kept.
    pub drafted: Drafted,
    pub already: bool,
}

/// What a file says, and what is made of it.
struct Understood {
    id: Id,
    conversation: Conversation,
    draft: Draft,
}

/// Quotes that are with the user's reader at once.
const READ_AT_ONCE: usize = 16;

impl App {
    /// Keeps the buyers' words of a conversation, durably and once, and answers with the new score.
    pub async fn import(self: &Arc<Self>, import: Import) -> Result<Imported, Error> {
        let deal = import.deal.clone();
        let expected = import.expected_revision;
        let validate_only = import.validate_only;
        let now = self.now();
        // A megabyte takes a while to read.
        let understood = aside(move || understand(&import, now)).await?;
        let Understood {
            id,
            conversation,
            draft,
        } = understood?;

        let taken = self.look_up(&deal, draft.statements, &conversation).await?;
        let fresh = taken.iter().filter(|taken| !taken.already);
        let fresh: Vec<Statement> = fresh.map(|taken| taken.drafted.statement.clone()).collect();
        let fresh = self.read_claims(fresh).await;
        let taken = with_claims(taken, &fresh);
        let ahead = taken
            .iter()
            .map(|taken| taken.drafted.statement.said_at)
            .max();
        let as_of = ahead.filter(|said_at| self.now() < *said_at);

        let (score, score_before) = if validate_only {
            self.rehearse_all(&deal, fresh, expected, as_of).await?
        } else {
            let decide = Box::new(move |deal: &Deal| {
                // A twin of this call may have been first.
                let fresh = fresh.iter().filter(|one| deal.statement(&one.id).is_none());
                decide::hear_all(deal, fresh.cloned().collect())
            });
            let (written, score_before) = self.write(&deal, expected, decide).await?;
            let query = Query {
                as_of,
                ..Query::now(deal)
            };
            let score = self.score(query).await.map_err(Error::behind_a_write)?;
            (score, (!written.already).then_some(score_before))
        };
        Ok(Imported {
            id,
            conversation,
            taken,
            skipped: draft.skipped,
            revision: score.revision,
            score,
            score_before,
        })
    }

    /// The claims of statements that came without any.
    async fn read_claims(&self, statements: Vec<Statement>) -> Vec<Statement> {
        let read = statements.into_iter().map(|statement| async move {
            let (statement, _) = self.with_claims(&statement).await;
            // A long conversation is no reason for other calls to wait.
            tokio::task::yield_now().await;
            statement
        });
        stream::iter(read).buffered(READ_AT_ONCE).collect().await
    }

    /// The statements as they are kept, of those that are there; of the others the first of a person whom the deal has no
    /// name for gives the one that the file has.
    async fn look_up(
        &self,
        key: &DealKey,
        drafted: Vec<Drafted>,
        conversation: &Conversation,
    ) -> Result<Vec<Taken>, Error> {
        let shared = self.deals.load(key).await?;
        let mut taken = Vec::with_capacity(drafted.len());
        for mut one in drafted {
            let kept = shared.read().deal.statement(&one.statement.id);
            let already = kept.is_some();
            if let Some(kept) = kept {
                let kept = self.deals.statement(key, kept.revision).await?;
                // A name that is kept may be the file's: that the caller gives none is no other word.
                take_over(&mut one.statement, name(&kept));
                let differs = decide::differs(&kept, &one.statement, false);
                if !differs.is_empty() {
                    return Err(Error::StatementDiffers {
                        statement: kept.id,
                        differs,
                    });
                }
                one.statement = kept;
            } else if let Some(name) = conversation.name_in(one.turn)
                && !is_named(&shared.read().deal, &taken, &one.statement)
            {
                take_over(&mut one.statement, Some(name));
            }
            taken.push(Taken {
                drafted: one,
                already,
            });
        }
        Ok(taken)
    }

    /// Does all that importing does but the recording.
    async fn rehearse_all(
        &self,
        key: &DealKey,
        fresh: Vec<Statement>,
        expected: Option<u64>,
        as_of: Option<Instant>,
    ) -> Result<(Scored, Option<f64>), Error> {
        let shared = self.deals.load(key).await?;
        let (mut deal, mut words) = {
            let folded = shared.read();
            (folded.deal.clone(), folded.words.clone())
        };
        let facts =
            decide::hear_all(&deal, fresh.clone()).map_err(|refusal| refused(key, refusal))?;
        let revision = deal.revision();
        if revision == 0 && facts.is_empty() {
            // Without a buyer's word there is still no such deal.
            return Err(Error::DealNotFound(key.deal.clone()));
        }
        let score_before = (!facts.is_empty()).then(|| self.points(&deal));
        if score_before.is_some() {
            expect(expected, revision)?;
        }
        for event in self.events(&deal, facts) {
            deal.apply(&event);
        }
        for (statement, place) in fresh.iter().zip(revision + 1..) {
            words.insert(place, statement);
        }
        let folded = SharedDeal::new(Folded {
            deal,
            words,
            projected: 0,
        });
        let score = self.scored(key, &folded, as_of).await?;
        // What was looked at is not recorded.
        Ok((Scored { revision, ..score }, score_before))
    }
}

/// The name that a statement gives its speaker.
fn name(statement: &Statement) -> Option<Name> {
    let speaker = statement.voice.speaker();
    speaker.and_then(|speaker| speaker.display_name.clone())
}

/// Gives the speaker a name, unless the caller gives one.
fn take_over(statement: &mut Statement, name: Option<Name>) {
    if let Voice::Buyer { speaker, .. } = &mut statement.voice
        && speaker.display_name.is_none()
    {
        speaker.display_name = name;
    }
}

/// Whether the deal, or what comes before in the file, has a name for who speaks.
fn is_named(deal: &Deal, before: &[Taken], statement: &Statement) -> bool {
    let Some(Speaker { stakeholder, .. }) = statement.voice.speaker() else {
        return true;
    };
    let known = deal.person(stakeholder);
    known.is_some_and(|person| !person.display_name.is_empty())
        || before.iter().any(|taken| {
            let before = &taken.drafted.statement;
            let speaker = before.voice.speaker();
            speaker.is_some_and(|speaker| speaker.stakeholder == *stakeholder)
                && name(before).is_some()
        })
}

/// Puts the claims that were read to the statements that are answered.
fn with_claims(mut taken: Vec<Taken>, fresh: &[Statement]) -> Vec<Taken> {
    let new = taken.iter_mut().filter(|taken| !taken.already);
    for (taken, statement) in new.zip(fresh) {
        taken.drafted.statement.claims.clone_from(&statement.claims);
    }
    taken
}

/// Reads the file and makes statements of it.
fn understand(import: &Import, now: Instant) -> Result<Understood, Error> {
    let conversation = conversation::read(Written {
        bytes: &import.content,
        format: import.format,
        labels: &import.cast.labels(),
    });
    let mut reading = Reading::of(Origin::Caller { now });
    if !import.partial {
        refuse_what_is_open(&mut reading, &conversation, &import.cast);
    }
    let held_at = import.held_at.or_else(|| conversation.began_at());
    let path = Path::ROOT.field("held_at");
    if held_at.is_none() {
        reading.refuse(&path, "must be set, as the file does not say when it was");
    }
    let id = import.id.clone().unwrap_or_else(|| derived(&conversation));
    let setting = held_at.map(|held_at| Setting {
        id: id.clone(),
        held_at,
        channel: import.channel.unwrap_or_else(|| conversation.channel()),
        source_uri: import.source_uri.clone(),
    });
    let draft = setting.map(|setting| draft::draft(&conversation, &import.cast, &setting));
    if let Some(draft) = &draft {
        refuse_what_is_too_much(&mut reading, draft, now);
    }
    let understood = draft.map(|draft| Understood {
        id,
        conversation,
        draft,
    });
    reading.end(understood).map_err(Error::Unfit)
}

fn refuse_what_is_open(reading: &mut Reading, conversation: &Conversation, cast: &Cast) {
    let buyers = Path::ROOT.field("buyers");
    for (label, turns, line) in cast.unknown(&conversation.turns) {
        reading.refuse(
            &buyers,
            format_args!(
                "must, with sellers, name every speaker, or partial be set: {label:?} speaks (turns: {turns}, first at line {line})"
            ),
        );
    }
    let content = Path::ROOT.field("content");
    for remark in conversation.not_understood.listed() {
        let Remark {
            line,
            last_line,
            reason,
            excerpt,
        } = remark;
        let lines = match line == last_line {
            true => format!("line {line}"),
            false => format!("lines {line} to {last_line}"),
        };
        reading.refuse(
            &content,
            format_args!("must be understood, or partial be set: {lines}: {reason}: {excerpt:?}"),
        );
    }
}

fn refuse_what_is_too_much(reading: &mut Reading, draft: &Draft, now: Instant) {
    let statements = draft.statements.len();
    if EVENTS_MAX < statements {
        reading.refuse(
            &Path::ROOT.field("content"),
            format_args!(
                "must make at most {EVENTS_MAX} statements, makes {statements}: import it in parts"
            ),
        );
    }
    let last = draft
        .statements
        .iter()
        .max_by_key(|one| one.statement.said_at);
    if let Some(last) = last
        && now.plus(AHEAD_MAX) < last.statement.said_at
    {
        let (line, said_at) = (last.line, last.statement.said_at);
        reading.refuse(
            &Path::ROOT.field("held_at"),
            format_args!(
                "must be such that nothing was said more than 5 minutes ahead of the service's clock, {now}; line {line} was at {said_at}"
            ),
        );
    }
}

/// The id of a conversation by what it says: the same for the same words, in whatever encoding they come.
fn derived(conversation: &Conversation) -> Id {
    let letter = conversation.letter.as_ref();
    let message_id = letter.map_or("", |letter| letter.message_id.as_str());
    let mut named = format!("verbatim.v1/conversation\n{message_id}\n");
    if message_id.is_empty() {
        for turn in &conversation.turns {
            named.push_str(&format!("{}\t{}\n", turn.speaker, turn.text));
        }
    }
    let id = Uuid::new_v5(&Uuid::NAMESPACE_OID, named.as_bytes());
    Id::new(&id.to_string()).expect("a UUID is an id")
}
