//! Reads a message and collects everything that is wrong with it, so that a caller learns it all at once.
//!
//! A violation names the field by its path, such as `statement.claims[2].target_date`, and says what is allowed.
//! A reading without a violation allocates nothing for its paths.

use std::fmt;

use crate::domain::time::Instant;
use crate::domain::time::Span;

/// How far ahead of the service's clock a caller may be.
pub const AHEAD_MAX: Span = Span::minutes(5);

/// One field that is not what it may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The path of the field, in the names of `proto/`.
    pub field: String,
    /// What is allowed: `must be …, got …`.
    pub description: String,
}

/// All that is wrong with a message: at least one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violations(Vec<Violation>);

/// One reading of one message.
#[derive(Debug)]
pub struct Reading {
    origin: Origin,
    violations: Vec<Violation>,
}

/// Whose message it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A caller's: output-only fields are ignored, times are held against the clock and default to it.
    Caller { now: Instant },
    /// The store's: everything was checked before, and nothing has a default.
    Store,
}

/// Where in a message a field is.
#[derive(Clone, Copy)]
pub struct Path<'a> {
    parent: Option<&'a Path<'a>>,
    step: Step,
}

#[derive(Clone, Copy)]
enum Step {
    Root,
    Field(&'static str),
    Index(usize),
}

impl Reading {
    pub fn of(origin: Origin) -> Reading {
        Reading {
            origin,
            violations: Vec::new(),
        }
    }

    pub fn origin(&self) -> Origin {
        self.origin
    }

    /// Notes that the field at `path` is not what it may be.
    pub fn refuse(&mut self, path: &Path<'_>, description: impl fmt::Display) {
        self.violations.push(Violation {
            field: path.to_string(),
            description: description.to_string(),
        });
    }

    /// The value, or `None` with the reason noted.
    pub fn note<T, E: fmt::Display>(&mut self, path: &Path<'_>, value: Result<T, E>) -> Option<T> {
        match value {
            Ok(value) => Some(value),
            Err(error) => {
                self.refuse(path, error);
                None
            }
        }
    }

    /// Ends the reading.
    ///
    /// # Errors
    ///
    /// [`Violations`] when anything was noted; then `value` does not matter.
    pub fn end<T>(self, value: Option<T>) -> Result<T, Violations> {
        match value {
            Some(value) if self.violations.is_empty() => Ok(value),
            Some(_) => Err(Violations(self.violations)),
            None if !self.violations.is_empty() => Err(Violations(self.violations)),
            // A reader that gives nothing has noted why; this keeps the promise of at least one all the same.
            None => Err(Violations::one("", "must be readable")),
        }
    }
}

impl Violations {
    pub fn one(field: &str, description: impl fmt::Display) -> Violations {
        Violations(vec![Violation {
            field: field.into(),
            description: description.to_string(),
        }])
    }

    /// The same of a message that is `field` of another one.
    pub fn within(mut self, field: &str) -> Violations {
        for violation in &mut self.0 {
            violation.field = match violation.field.as_str() {
                "" => field.into(),
                inner => format!("{field}.{inner}"),
            };
        }
        self
    }

    pub fn all(&self) -> &[Violation] {
        &self.0
    }
}

impl Path<'_> {
    pub const ROOT: Path<'static> = Path {
        parent: None,
        step: Step::Root,
    };

    pub fn field<'a>(&'a self, name: &'static str) -> Path<'a> {
        Path {
            parent: Some(self),
            step: Step::Field(name),
        }
    }

    pub fn index<'a>(&'a self, index: usize) -> Path<'a> {
        Path {
            parent: Some(self),
            step: Step::Index(index),
        }
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(parent) = self.parent {
            parent.fmt(f)?;
        }
        match self.step {
            Step::Root => Ok(()),
            Step::Index(index) => write!(f, "[{index}]"),
            Step::Field(name) => {
                let first = self
                    .parent
                    .is_none_or(|parent| matches!(parent.step, Step::Root));
                write!(f, "{}{name}", if first { "" } else { "." })
            }
        }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.field.is_empty() {
            return f.write_str(&self.description);
        }
        write!(f, "{} {}", self.field, self.description)
    }
}

/// The first few in one sentence.
impl fmt::Display for Violations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const TOLD_MAX: usize = 3;
        for (place, violation) in self.0.iter().take(TOLD_MAX).enumerate() {
            if 0 < place {
                f.write_str("; ")?;
            }
            violation.fmt(f)?;
        }
        if TOLD_MAX < self.0.len() {
            write!(f, "; and {} more", self.0.len() - TOLD_MAX)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_reads_as_one_writes_it() {
        let statement = Path::ROOT.field("statement");
        let claims = statement.field("claims");
        let claim = claims.index(2);
        assert_eq!(
            claim.field("target_date").to_string(),
            "statement.claims[2].target_date"
        );
        assert_eq!(Path::ROOT.to_string(), "");
    }

    #[test]
    fn a_reading_tells_all_that_is_wrong_and_the_first_three_in_a_sentence() {
        let mut reading = Reading::of(Origin::Store);
        for name in ["a", "b", "c", "d"] {
            reading.refuse(&Path::ROOT.field(name), "must be set");
        }
        let violations = reading.end(Some(())).unwrap_err();
        assert_eq!(violations.all().len(), 4);
        assert_eq!(
            violations.to_string(),
            "a must be set; b must be set; c must be set; and 1 more"
        );
    }
}
