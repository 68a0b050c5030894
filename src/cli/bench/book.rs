//! A book of deals that could be true: who is in them and what they said, the same on each run but for their moments.

use jiff::SignedDuration;
use jiff::Timestamp;

use crate::cli::moment;
use crate::wire::pb;
use crate::wire::pb::Attribution;
use crate::wire::pb::BuyingRole;
use crate::wire::pb::Channel;
use crate::wire::pb::Conviction;
use crate::wire::pb::Stance;
use crate::wire::pb::Topic;
use crate::wire::pb::write::Write;

/// Statements of each deal.
pub const STATEMENTS: usize = 10;

/// People of each deal.
const PEOPLE: [(&str, &str, &str, BuyingRole); 4] = [
    ("cfo", "Hanna Vogel", "CFO", BuyingRole::EconomicBuyer),
    (
        "champion",
        "Tom Becker",
        "Head of Claims",
        BuyingRole::Champion,
    ),
    (
        "architect",
        "Ines Moreau",
        "Lead Architect",
        BuyingRole::TechnicalEvaluator,
    ),
    ("clerk", "Jan Novak", "Claims Handler", BuyingRole::User),
];

type Line = (usize, Topic, Stance, Conviction, &'static str);

/// Who says what; a deal begins somewhere in here, and a long one says the same again: what grows is its history.
const LINES: [Line; 12] = [
    (
        1,
        Topic::Problem,
        Stance::Supports,
        Conviction::Owned,
        "We key every claim in twice because the two systems do not talk to each other.",
    ),
    (
        0,
        Topic::Consequence,
        Stance::Supports,
        Conviction::Owned,
        "Another year like this costs us the two million we had set aside for the new region.",
    ),
    (
        1,
        Topic::StatusQuo,
        Stance::Supports,
        Conviction::Committed,
        "We cannot go through another renewal season the way we work now.",
    ),
    (
        2,
        Topic::ChangeRisk,
        Stance::Opposes,
        Conviction::Acknowledged,
        "Honestly, moving the archive worries me more than living with it for a while.",
    ),
    (
        0,
        Topic::GoLive,
        Stance::Supports,
        Conviction::Owned,
        "It has to run before the auditors come in March.",
    ),
    (
        1,
        Topic::BuyingProcess,
        Stance::Supports,
        Conviction::Owned,
        "After the architects have signed off it goes to the board on the second Tuesday.",
    ),
    (
        3,
        Topic::Value,
        Stance::Supports,
        Conviction::Acknowledged,
        "If it saves me the second entry I am home an hour earlier every day.",
    ),
    (
        2,
        Topic::Consensus,
        Stance::Supports,
        Conviction::Owned,
        "Everybody who was in the workshop agrees that we need it.",
    ),
    (
        0,
        Topic::Management,
        Stance::Supports,
        Conviction::Committed,
        "The money is in the budget, and I have put my name to it.",
    ),
    (
        0,
        Topic::Priority,
        Stance::Defers,
        Conviction::Owned,
        "First we have to get the merger over with, then this.",
    ),
    (
        2,
        Topic::Alternative,
        Stance::Opposes,
        Conviction::Acknowledged,
        "Our own people believe that they could build something like it.",
    ),
    (
        1,
        Topic::Engagement,
        Stance::Supports,
        Conviction::Owned,
        "I will bring the two team leads to the next call.",
    ),
];

/// The deals.
#[derive(Clone, Copy, Debug)]
pub struct Book {
    now: Timestamp,
}

impl Book {
    /// What was said lies in the days before now.
    pub fn new() -> Book {
        Book { now: moment::now() }
    }

    pub fn deal_id(deal: usize) -> String {
        format!("bench-{deal:06}")
    }

    /// The writes that make up a deal: its facts, its people, and this many statements.
    pub fn deal(self, deal: usize, statements: usize) -> impl Iterator<Item = Write> {
        let facts = [
            Write::UpsertDeal(self.facts(deal)),
            Write::UpsertStakeholders(self.people(deal)),
        ];
        let said = (0..statements).map(move |statement| {
            let age = SignedDuration::from_hours(24 * 40);
            let step = age / i32::try_from(statements).unwrap_or(i32::MAX);
            let back = age - step * i32::try_from(statement).unwrap_or(i32::MAX);
            Write::RecordBuyerStatement(self.statement(deal, statement, back))
        });
        facts.into_iter().chain(said)
    }

    /// What a deal is worth, whose it is and when it should close, differing from deal to deal.
    pub fn amount(self, deal: usize) -> Write {
        let stages = ["Qualification", "Value Proposition", "Proposal/Price Quote"];
        Write::UpsertDeal(pb::UpsertDealRequest {
            deal: Some(pb::Deal {
                owner: Some(format!("Owner {}", deal % 40)),
                amount: Some(pb::Money {
                    currency_code: if deal.is_multiple_of(5) { "USD" } else { "EUR" }.to_owned(),
                    units: (deal as i64 * 7_919 % 500 + 1) * 1_000,
                    nanos: 0,
                }),
                seller_stage: Some(stages[deal % stages.len()].to_owned()),
                close_date: Some(format!("2099-{:02}-15", deal % 12 + 1)),
                effective_at: Some(moment::to_proto(
                    self.now - SignedDuration::from_hours(24 * 30),
                )),
                ..self.facts(deal).deal.unwrap_or_default()
            }),
            ..pb::UpsertDealRequest::default()
        })
    }

    /// What is said in a call that records: new each time, and said just now.
    pub fn news(self, deal: usize, number: usize) -> pb::RecordBuyerStatementRequest {
        self.statement(deal, STATEMENTS + number, SignedDuration::ZERO)
    }

    fn facts(self, deal: usize) -> pb::UpsertDealRequest {
        pb::UpsertDealRequest {
            deal: Some(pb::Deal {
                deal_id: Book::deal_id(deal),
                name: Some("Claims platform".to_owned()),
                account: Some(format!("Acme Insurance {deal}")),
                owner: Some("Robin Clark".to_owned()),
                seller_stage: Some("Proposal/Price Quote".to_owned()),
                close_date: Some("2099-12-18".to_owned()),
                effective_at: Some(moment::to_proto(
                    self.now - SignedDuration::from_hours(24 * 60),
                )),
                ..pb::Deal::default()
            }),
            ..pb::UpsertDealRequest::default()
        }
    }

    fn people(self, deal: usize) -> pb::UpsertStakeholdersRequest {
        let person = |(id, name, title, role): (&str, &str, &str, BuyingRole)| pb::Stakeholder {
            stakeholder_id: id.to_owned(),
            display_name: Some(name.to_owned()),
            title: Some(title.to_owned()),
            roles: vec![role.into()],
            presence: pb::Presence::Active.into(),
            effective_at: Some(moment::to_proto(
                self.now - SignedDuration::from_hours(24 * 60),
            )),
            ..pb::Stakeholder::default()
        };
        pb::UpsertStakeholdersRequest {
            deal_id: Book::deal_id(deal),
            stakeholders: PEOPLE.into_iter().map(person).collect(),
            ..pb::UpsertStakeholdersRequest::default()
        }
    }

    fn statement(
        self,
        deal: usize,
        number: usize,
        age: SignedDuration,
    ) -> pb::RecordBuyerStatementRequest {
        let (speaker, topic, stance, conviction, quote) =
            LINES[(deal + number % STATEMENTS) % LINES.len()];
        let (id, ..) = PEOPLE[speaker];
        let target_date = match topic {
            Topic::GoLive => "2099-03-01".to_owned(),
            _ => String::new(),
        };
        let statement = pb::BuyerStatement {
            statement_id: format!("s-{number}"),
            deal_id: Book::deal_id(deal),
            speaker: Some(pb::Speaker {
                stakeholder_id: id.to_owned(),
                ..pb::Speaker::default()
            }),
            said_at: Some(moment::to_proto(self.now - age)),
            quote: quote.to_owned(),
            attribution: Attribution::Verbatim.into(),
            channel: Channel::Video.into(),
            source_uri: format!("https://calls.example.com/{deal}/{number}"),
            claims: vec![pb::Claim {
                topic: topic.into(),
                stance: stance.into(),
                conviction: conviction.into(),
                target_date,
                ..pb::Claim::default()
            }],
            ..pb::BuyerStatement::default()
        };
        pb::RecordBuyerStatementRequest {
            statement: Some(statement),
            ..pb::RecordBuyerStatementRequest::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deal_has_people_who_say_different_things() {
        let writes: Vec<Write> = Book::new().deal(7, STATEMENTS).collect();
        assert_eq!(writes.len(), 2 + STATEMENTS);
        let mut ids: Vec<String> = writes
            .into_iter()
            .filter_map(|write| match write {
                Write::RecordBuyerStatement(request) => Some(request.statement?.statement_id),
                _ => None,
            })
            .collect();
        ids.dedup();
        assert_eq!(ids.len(), STATEMENTS);
    }
}
