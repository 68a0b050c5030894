//! The closed lists of the pipeline and their numbers on the wire.

use crate::domain::portfolio::filter::Status;
use crate::domain::portfolio::order::By;
use crate::domain::portfolio::order::Direction;
use crate::domain::portfolio::summary::Grouping;
use crate::wire::listed::Listed;

impl Listed for Status {
    const LIST: &'static [Status] = &Status::ALL;

    fn named(self) -> &'static str {
        self.name()
    }

    fn place(self) -> usize {
        self as usize
    }
}

impl Listed for By {
    const LIST: &'static [By] = &By::ALL;

    fn named(self) -> &'static str {
        self.name()
    }

    fn place(self) -> usize {
        self as usize
    }
}

impl Listed for Direction {
    const LIST: &'static [Direction] = &Direction::ALL;

    fn named(self) -> &'static str {
        self.name()
    }

    fn place(self) -> usize {
        self as usize
    }
}

impl Listed for Grouping {
    const LIST: &'static [Grouping] = &Grouping::ALL;

    fn named(self) -> &'static str {
        self.name()
    }

    fn place(self) -> usize {
        self as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::listed::number;
    use crate::wire::pb;

    #[track_caller]
    fn check<T: Listed>(prefix: &str, number_of: fn(&str) -> Option<i32>) {
        for value in T::LIST {
            let name = format!("{prefix}_{}", value.named());
            assert_eq!(number_of(&name), Some(number(*value)), "{name}");
        }
    }

    #[test]
    fn every_list_is_that_of_proto_in_the_same_order() {
        check::<Status>("DEAL_STATUS", |name| {
            Some(pb::DealStatus::from_str_name(name)? as i32)
        });
        check::<By>("PIPELINE_ORDER", |name| {
            Some(pb::PipelineOrder::from_str_name(name)? as i32)
        });
        check::<Direction>("SORT_DIRECTION", |name| {
            Some(pb::SortDirection::from_str_name(name)? as i32)
        });
        check::<Grouping>("PIPELINE_GROUPING", |name| {
            Some(pb::PipelineGrouping::from_str_name(name)? as i32)
        });
    }
}
