//! The writes that the tests make: each follows from its number, and each event it leaves can be told from all others.

use tonic::Status;
use verbatim::wire::pb;
use verbatim::wire::pb::deal_event;

use crate::client::AS_OF_SECONDS;
use crate::client::Client;
use crate::client::moment;
use crate::support::Dice;

pub const DEALS: u64 = 50;

/// Everybody's words are said at one of so many moments before that of comparison: few, so that some are said at the same
/// moment, where the order of recording decides. Unit of what lies between two: seconds.
const TIMES: u64 = 24;
const SAID_EVERY: i64 = 5 * 86_400;

/// One write. No two have the same number.
#[derive(Clone, Debug)]
pub struct Write {
    pub number: u64,
    pub deal: String,
    pub what: What,
}

#[derive(Clone, Debug)]
pub enum What {
    Statement,
    /// People in one call: all or none.
    People(u64),
    Facts,
    /// Of the statement of that number.
    Retraction(u64),
}

/// What an answer said.
#[derive(Clone, Copy, Debug)]
pub struct Answered {
    pub revision: u64,
    /// Whether it was there before; `None` where an answer does not tell.
    pub already: Option<bool>,
}

impl Write {
    /// Sends it.
    pub async fn send(&self, client: &Client) -> Result<Answered, Status> {
        self.send_if(client, None).await
    }

    /// Sends it, to be recorded only if the deal is at a revision.
    pub async fn send_if(
        &self,
        client: &Client,
        expected_revision: Option<u64>,
    ) -> Result<Answered, Status> {
        let (mut qualification, mut deals) = (client.qualification.clone(), client.deals.clone());
        let (revision, already) = match &self.what {
            What::Statement => {
                let request = pb::RecordBuyerStatementRequest {
                    statement: Some(self.statement()),
                    expected_revision,
                    ..Default::default()
                };
                let answer = qualification.record_buyer_statement(request).await?;
                let answer = answer.into_inner();
                (answer.revision, Some(answer.already_recorded))
            }
            What::People(count) => {
                let request = pb::UpsertStakeholdersRequest {
                    deal_id: self.deal.clone(),
                    stakeholders: (0..*count).map(|place| self.person(place)).collect(),
                    expected_revision,
                };
                let answer = deals.upsert_stakeholders(request).await?;
                (answer.into_inner().revision, None)
            }
            What::Facts => {
                let request = pb::UpsertDealRequest {
                    deal: Some(self.facts()),
                    expected_revision,
                };
                let answer = deals.upsert_deal(request).await?;
                (answer.into_inner().revision, None)
            }
            What::Retraction(statement) => {
                let request = pb::RetractBuyerStatementRequest {
                    deal_id: self.deal.clone(),
                    statement_id: format!("s{statement}"),
                    reason: "misheard".into(),
                    expected_revision,
                };
                let answer = deals.retract_buyer_statement(request).await?.into_inner();
                (answer.revision, Some(answer.already_retracted))
            }
        };
        Ok(Answered { revision, already })
    }

    /// The events that it leaves, in order, by their marks.
    pub fn marks(&self) -> Vec<String> {
        match &self.what {
            What::Statement => vec![format!("statement {}", self.statement().quote)],
            What::People(count) => (0..*count)
                .map(|place| format!("person {}", self.person(place).stakeholder_id))
                .collect(),
            What::Facts => vec![format!("facts {:?}", self.facts().name)],
            What::Retraction(statement) => vec![format!("retraction of s{statement}")],
        }
    }

    fn statement(&self) -> pb::BuyerStatement {
        let mut dice = Dice(self.number);
        let words = "we will not get through another audit like that ".repeat(20);
        let length = dice.below(900) as usize;
        let quote = format!("{} {}", self.number, &words[..length]);
        pb::BuyerStatement {
            statement_id: format!("s{}", self.number),
            deal_id: self.deal.clone(),
            speaker: Some(pb::Speaker {
                stakeholder_id: format!("buyer-{}", dice.below(6)),
                roles: vec![dice.below(10) as i32 + 1],
                ..Default::default()
            }),
            said_at: Some(moment(
                AS_OF_SECONDS - SAID_EVERY * (1 + dice.below(TIMES)) as i64,
            )),
            quote: quote.trim_end().to_owned(),
            attribution: dice.below(2) as i32 + 1,
            claims: (0..=dice.below(3))
                .map(|_| pb::Claim {
                    topic: dice.below(12) as i32 + 1,
                    stance: dice.below(3) as i32 + 1,
                    conviction: dice.below(3) as i32 + 1,
                    ..Default::default()
                })
                .collect(),
            ..Default::default()
        }
    }

    fn person(&self, place: u64) -> pb::Stakeholder {
        pb::Stakeholder {
            stakeholder_id: format!("person-{}-{place}", self.number),
            title: Some("Head of audits".into()),
            roles: vec![(self.number % 10) as i32 + 1],
            effective_at: Some(moment(self.effective_at())),
            ..Default::default()
        }
    }

    fn facts(&self) -> pb::Deal {
        pb::Deal {
            deal_id: self.deal.clone(),
            name: Some(format!("deal as of write {}", self.number)),
            effective_at: Some(moment(self.effective_at())),
            ..Default::default()
        }
    }

    // A moment of its own, so that no other write tells of the same moment.
    fn effective_at(&self) -> i64 {
        AS_OF_SECONDS - TIMES as i64 * SAID_EVERY - self.number as i64
    }
}

/// The mark of an event in a history.
pub fn mark(event: &pb::DealEvent) -> String {
    match event.event.as_ref().unwrap() {
        deal_event::Event::Statement(statement) => format!("statement {}", statement.quote),
        deal_event::Event::Stakeholder(person) => format!("person {}", person.stakeholder_id),
        deal_event::Event::Deal(deal) => format!("facts {:?}", deal.name),
        deal_event::Event::Retraction(retraction) => {
            format!("retraction of {}", retraction.statement_id)
        }
        other => panic!("nobody wrote {other:?}"),
    }
}

pub fn deal_id(number: u64) -> String {
    format!("deal-{number}")
}
