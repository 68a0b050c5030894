//! The words of statements, apart from what they claim: a deal is scored without them, and answers cite them.

use crate::domain::statement::Quote;
use crate::domain::statement::Statement;
use crate::domain::text::Id;

/// What is cited of a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quoted {
    pub id: Id,
    pub quote: Quote,
}

/// The words of some statements, by revision.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Words(Vec<(u64, Quoted)>);

impl Words {
    /// The words of the statement of that revision, if they are at hand.
    pub fn get(&self, revision: u64) -> Option<&Quoted> {
        let place = self.place(revision).ok()?;
        Some(&self.0[place].1)
    }

    /// Takes in the words of the statement of that revision.
    pub fn insert(&mut self, revision: u64, statement: &Statement) {
        let quoted = Quoted {
            id: statement.id.clone(),
            quote: statement.quote.clone(),
        };
        match self.place(revision) {
            Ok(place) => self.0[place].1 = quoted,
            Err(place) => self.0.insert(place, (revision, quoted)),
        }
    }

    /// The words of just these statements.
    ///
    /// # Errors
    ///
    /// Those whose words are not at hand.
    pub fn only(&self, mut revisions: Vec<u64>) -> Result<Words, Vec<u64>> {
        revisions.sort_unstable();
        revisions.dedup();
        let found: Vec<(u64, Quoted)> = revisions
            .iter()
            .filter_map(|revision| Some((*revision, self.get(*revision)?.clone())))
            .collect();
        if found.len() == revisions.len() {
            return Ok(Words(found));
        }
        revisions.retain(|revision| self.get(*revision).is_none());
        Err(revisions)
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn clear(&mut self) {
        self.0.clear();
    }

    fn place(&self, revision: u64) -> Result<usize, usize> {
        self.0.binary_search_by_key(&revision, |(at, _)| *at)
    }
}
