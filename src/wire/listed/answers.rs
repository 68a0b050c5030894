//! The closed lists of answers and their numbers on the wire.

use crate::domain::loss::Impairment;
use crate::domain::loss::StallCause;
use crate::domain::scale::Band;
use crate::domain::scale::ForecastCategory;
use crate::domain::scale::Gate;
use crate::domain::scale::Modifier;
use crate::domain::stage::StageSource;
use crate::domain::state::DealState;
use crate::domain::tactic::Tactic;
use crate::domain::trend::Knowledge;
use crate::domain::trend::TrendStep;
use crate::domain::walk::ChangeKind;
use crate::wire::listed::Listed;

impl Listed for Impairment {
    const LIST: &'static [Impairment] = &Impairment::ALL;

    fn named(self) -> &'static str {
        self.name()
    }

    fn place(self) -> usize {
        self as usize
    }
}

impl Listed for StallCause {
    const LIST: &'static [StallCause] = &StallCause::ALL;

    fn named(self) -> &'static str {
        self.name()
    }

    fn place(self) -> usize {
        self as usize
    }
}

impl Listed for Band {
    const LIST: &'static [Band] = &Band::ALL;

    fn named(self) -> &'static str {
        self.name()
    }

    fn place(self) -> usize {
        self as usize
    }
}

impl Listed for ForecastCategory {
    const LIST: &'static [ForecastCategory] = &ForecastCategory::ALL;

    fn named(self) -> &'static str {
        self.name()
    }

    fn place(self) -> usize {
        self as usize
    }
}

impl Listed for Gate {
    const LIST: &'static [Gate] = &Gate::ALL;

    fn named(self) -> &'static str {
        self.name()
    }

    fn place(self) -> usize {
        self as usize
    }
}

impl Listed for Modifier {
    const LIST: &'static [Modifier] = &Modifier::ALL;

    fn named(self) -> &'static str {
        self.name()
    }

    fn place(self) -> usize {
        self as usize
    }
}

impl Listed for StageSource {
    const LIST: &'static [StageSource] = &StageSource::ALL;

    fn named(self) -> &'static str {
        self.name()
    }

    fn place(self) -> usize {
        self as usize
    }
}

impl Listed for DealState {
    const LIST: &'static [DealState] = &DealState::ALL;

    fn named(self) -> &'static str {
        self.name()
    }

    fn place(self) -> usize {
        self as usize
    }
}

impl Listed for Tactic {
    const LIST: &'static [Tactic] = &Tactic::ALL;

    fn named(self) -> &'static str {
        self.name()
    }

    fn place(self) -> usize {
        self as usize
    }
}

impl Listed for ChangeKind {
    const LIST: &'static [ChangeKind] = &ChangeKind::ALL;

    fn named(self) -> &'static str {
        self.name()
    }

    fn place(self) -> usize {
        self as usize
    }
}

impl Listed for TrendStep {
    const LIST: &'static [TrendStep] = &TrendStep::ALL;

    fn named(self) -> &'static str {
        self.name()
    }

    fn place(self) -> usize {
        self as usize
    }
}

impl Listed for Knowledge {
    const LIST: &'static [Knowledge] = &Knowledge::ALL;

    fn named(self) -> &'static str {
        self.name()
    }

    fn place(self) -> usize {
        self as usize
    }
}
