//! Statements that are cited, with the buyer's words, and the people who said them.

use crate::app::Stakeholder;
use crate::domain::evidence::Evidence;
use crate::domain::evidence::Hypothesis;
use crate::domain::topic::Attribution;
use crate::domain::words::Quoted;
use crate::domain::words::Words;
use crate::wire::listed::number;
use crate::wire::pb;
use crate::wire::value::encode_moment;

/// What an answer draws its citations from.
pub struct Sources<'a> {
    pub people: &'a [Stakeholder],
    pub words: &'a Words,
}

impl Sources<'_> {
    pub fn evidence(&self, evidence: &Evidence) -> pb::Evidence {
        let Evidence {
            statement,
            person,
            said_at,
            topic,
            stance,
            conviction,
            attribution,
            strength,
            freshness,
            standing,
        } = *evidence;
        let words = self.words.get(statement);
        let person = &self.people[person];
        pb::Evidence {
            statement_id: id_of(words),
            stakeholder_id: person.id.as_str().into(),
            display_name: name_of(person),
            said_at: Some(encode_moment(said_at)),
            quote: quote_of(words),
            stance: number(stance),
            conviction: number(conviction),
            strength,
            freshness,
            standing,
            attribution: number(attribution),
            topic: number(topic),
        }
    }

    pub fn all(&self, evidence: &[Evidence]) -> Vec<pb::Evidence> {
        evidence
            .iter()
            .map(|evidence| self.evidence(evidence))
            .collect()
    }

    pub fn hypothesis(&self, hypothesis: &Hypothesis) -> pb::Hypothesis {
        let Hypothesis {
            statement,
            said_at,
            topic,
            stance,
            about,
        } = hypothesis;
        let words = self.words.get(*statement);
        pb::Hypothesis {
            statement_id: id_of(words),
            topic: number(*topic),
            stance: number(*stance),
            quote: quote_of(words),
            said_at: Some(encode_moment(*said_at)),
            stakeholder_id: about.as_ref().map_or("", |id| id.as_str()).into(),
        }
    }

    /// A hypothesis among evidence: it is cited, and counts nothing.
    pub fn unasked(&self, hypothesis: &Hypothesis) -> pb::Evidence {
        let pb::Hypothesis {
            statement_id,
            topic,
            stance,
            quote,
            said_at,
            stakeholder_id,
        } = self.hypothesis(hypothesis);
        pb::Evidence {
            statement_id,
            stakeholder_id,
            display_name: String::new(),
            said_at,
            quote,
            stance,
            conviction: 0,
            strength: 0.0,
            freshness: 0.0,
            standing: 0.0,
            attribution: number(Attribution::Inferred),
            topic,
        }
    }

    pub fn person(&self, place: usize) -> pb::Person {
        let Stakeholder {
            id,
            display_name: _,
            title,
            roles,
            presence,
        } = &self.people[place];
        pb::Person {
            stakeholder_id: id.as_str().into(),
            display_name: name_of(&self.people[place]),
            title: title.as_ref().map_or("", |title| title.as_str()).into(),
            roles: roles.iter().map(number).collect(),
            presence: number(*presence),
        }
    }
}

fn name_of(person: &Stakeholder) -> String {
    let name = person.display_name.as_ref();
    name.map_or("", |name| name.as_str()).into()
}

fn id_of(words: Option<&Quoted>) -> String {
    words.map_or("", |quoted| quoted.id.as_str()).into()
}

fn quote_of(words: Option<&Quoted>) -> String {
    words.map_or("", |quoted| quoted.quote.as_str()).into()
}
