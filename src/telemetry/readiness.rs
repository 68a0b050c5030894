//! Whether the service takes calls, and if not, why: what probes are told. Kept up by those who know, read by any.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;

/// What has to hold for the service to be ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Check {
    /// The store is open and the port is bound.
    Start,
    /// The store takes writes.
    Store,
    /// The service has not been told to stop.
    Shutdown,
}

/// The checks of one service. Clones share everything.
#[derive(Clone, Debug)]
pub struct Readiness(Arc<Mutex<BTreeMap<Check, Option<String>>>>);

impl Check {
    pub fn name(self) -> &'static str {
        match self {
            Check::Start => "start",
            Check::Store => "store",
            Check::Shutdown => "shutdown",
        }
    }
}

impl Default for Readiness {
    /// A service that is starting.
    fn default() -> Readiness {
        let starting = "the service is starting".to_owned();
        Readiness(Arc::new(Mutex::new(BTreeMap::from([
            (Check::Start, Some(starting)),
            (Check::Store, None),
            (Check::Shutdown, None),
        ]))))
    }
}

impl Readiness {
    pub fn holds(&self, check: Check) {
        self.checks().insert(check, None);
    }

    pub fn fails(&self, check: Check, why: impl Into<String>) {
        self.checks().insert(check, Some(why.into()));
    }

    /// Why it is not ready, each check that fails with its reason; empty when it is.
    pub fn failing(&self) -> Vec<(Check, String)> {
        let checks = self.checks();
        let failing = checks.iter();
        failing
            .filter_map(|(check, why)| Some((*check, why.clone()?)))
            .collect()
    }

    /// Every check, a line each, as the probes of Kubernetes write them.
    pub fn verbose(&self) -> String {
        let mut text = String::new();
        for (check, why) in self.checks().iter() {
            let name = check.name();
            match why {
                None => text.push_str(&format!("[+]{name} ok\n")),
                Some(why) => text.push_str(&format!("[-]{name} failed: {why}\n")),
            }
        }
        text
    }

    // A line of a map is changed whole, so a poisoned lock guards whole values.
    fn checks(&self) -> MutexGuard<'_, BTreeMap<Check, Option<String>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_check_has_to_hold_and_each_tells_why_it_does_not() {
        let readiness = Readiness::default();
        assert_eq!(readiness.failing().len(), 1);
        readiness.holds(Check::Start);
        assert!(readiness.failing().is_empty());
        readiness.fails(Check::Store, "the disk is on fire");
        let why = "the disk is on fire".to_owned();
        assert_eq!(readiness.clone().failing(), [(Check::Store, why)]);
        let text = "[+]start ok\n[-]store failed: the disk is on fire\n[+]shutdown ok\n";
        assert_eq!(readiness.verbose(), text);
    }
}
