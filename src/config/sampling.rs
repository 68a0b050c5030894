//! Which traces are sent: the standard variables `OTEL_TRACES_SAMPLER` and `OTEL_TRACES_SAMPLER_ARG`.

use crate::config::otlp::Variables;

/// Decides by a trace's id and by what its caller does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sampling {
    /// Where a caller says whether it sends its own spans of the trace, ours go the same way. Default: true.
    pub follows_caller: bool,
    /// The share of the other traces that is sent, 0 to 1. Default: 1.
    pub share: f64,
}

/// The names of the specification that need nobody else to decide.
const SAMPLERS: &str = "always_on, always_off, traceidratio, parentbased_always_on, \
                        parentbased_always_off or parentbased_traceidratio";

impl Default for Sampling {
    /// By the specification.
    fn default() -> Self {
        Sampling {
            follows_caller: true,
            share: 1.0,
        }
    }
}

impl Sampling {
    /// Reads both variables, and adds what is wrong with them to `faults`.
    pub fn read(set: Variables, faults: &mut Vec<String>) -> Sampling {
        let Some(name) = set("OTEL_TRACES_SAMPLER") else {
            return Sampling::default();
        };
        let (follows_caller, kind) = match name.strip_prefix("parentbased_") {
            Some(kind) => (true, kind),
            None => (false, name.as_str()),
        };
        let share = match kind {
            "always_on" => 1.0,
            "always_off" => 0.0,
            "traceidratio" => share(set, faults),
            _ => {
                faults.push(format!(
                    "OTEL_TRACES_SAMPLER: must be {SAMPLERS}, got `{name}`"
                ));
                1.0
            }
        };
        Sampling {
            follows_caller,
            share,
        }
    }
}

fn share(set: Variables, faults: &mut Vec<String>) -> f64 {
    // By the specification, where none is named.
    let Some(text) = set("OTEL_TRACES_SAMPLER_ARG") else {
        return 1.0;
    };
    match text.trim().parse() {
        Ok(share) if (0.0..=1.0).contains(&share) => share,
        _ => {
            faults.push(format!(
                "OTEL_TRACES_SAMPLER_ARG: must be a share from 0 to 1, got `{text}`"
            ));
            1.0
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(sampler: Option<&str>, argument: Option<&str>) -> (Sampling, Vec<String>) {
        let mut faults = Vec::new();
        let set = |name: &str| match name {
            "OTEL_TRACES_SAMPLER" => sampler.map(str::to_owned),
            "OTEL_TRACES_SAMPLER_ARG" => argument.map(str::to_owned),
            _ => None,
        };
        (Sampling::read(&set, &mut faults), faults)
    }

    #[track_caller]
    fn check(sampler: Option<&str>, argument: Option<&str>, follows_caller: bool, share: f64) {
        let expected = Sampling {
            follows_caller,
            share,
        };
        assert_eq!(
            read(sampler, argument),
            (expected, Vec::new()),
            "{sampler:?}"
        );
    }

    #[test]
    fn each_sampler_of_the_specification_is_read() {
        check(None, Some("0.5"), true, 1.0);
        check(Some("always_on"), None, false, 1.0);
        check(Some("always_off"), None, false, 0.0);
        check(Some("traceidratio"), Some("0.25"), false, 0.25);
        check(Some("traceidratio"), None, false, 1.0);
        check(Some("parentbased_always_on"), None, true, 1.0);
        check(Some("parentbased_always_off"), None, true, 0.0);
        check(Some("parentbased_traceidratio"), Some(" 0.01 "), true, 0.01);
    }

    #[test]
    fn what_is_wrong_is_told_with_what_is_allowed() {
        for (sampler, argument, start) in [
            ("xray", None, "OTEL_TRACES_SAMPLER: must be always_on,"),
            (
                "parentbased_",
                None,
                "OTEL_TRACES_SAMPLER: must be always_on,",
            ),
            (
                "traceidratio",
                Some("2"),
                "OTEL_TRACES_SAMPLER_ARG: must be a share",
            ),
            (
                "traceidratio",
                Some("NaN"),
                "OTEL_TRACES_SAMPLER_ARG: must be a share",
            ),
        ] {
            let (_, faults) = read(Some(sampler), argument);
            assert_eq!(faults.len(), 1, "{sampler}");
            assert!(faults[0].starts_with(start), "{faults:?}");
        }
    }
}
