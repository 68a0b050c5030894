//! The details of a status, in the messages of `google.rpc`.

use std::collections::HashMap;

use tonic_types::ErrorDetails;

use crate::wire::pb::ErrorReason;
use crate::wire::reading::Violations;

/// The domain of every ErrorInfo.
const DOMAIN: &str = "verbatim.v1";

/// Details travel in a header, and clients take about 8 KiB of those: beyond this many bytes violations are counted.
const VIOLATIONS_BYTES_MAX: usize = 4_096;

pub fn info(reason: ErrorReason, metadata: &[(&str, String)]) -> ErrorDetails {
    let name = reason.as_str_name();
    let name = name.strip_prefix("ERROR_REASON_").unwrap_or(name);
    let metadata = metadata
        .iter()
        .map(|(key, value)| ((*key).to_owned(), value.clone()));
    ErrorDetails::with_error_info(name, DOMAIN, metadata.collect::<HashMap<String, String>>())
}

pub fn list(details: &mut ErrorDetails, violations: &Violations) {
    let mut bytes = 0;
    for (place, violation) in violations.all().iter().enumerate() {
        bytes += violation.field.len() + violation.description.len() + 8;
        if VIOLATIONS_BYTES_MAX < bytes {
            let left = violations.all().len() - place;
            details.add_bad_request_violation("", format!("and {left} more violations"));
            return;
        }
        details.add_bad_request_violation(violation.field.as_str(), violation.description.as_str());
    }
}

#[cfg(test)]
mod tests {
    use crate::grpc::status;
    use crate::wire::reading::Origin;
    use crate::wire::reading::Path;
    use crate::wire::reading::Reading;
    use tonic_types::StatusExt;

    #[test]
    fn more_violations_than_a_header_holds_are_counted() {
        let mut reading = Reading::of(Origin::Store);
        for place in 0..1_000 {
            reading.refuse(&Path::ROOT.field("milestones").index(place), "must be set");
        }
        let status = status::of_violations(&reading.end(Some(())).unwrap_err());
        assert!(status.details().len() < 8_000, "{}", status.details().len());
        let listed = status.get_details_bad_request().unwrap().field_violations;
        let last = &listed.last().unwrap().description;
        assert_eq!(
            last,
            &format!("and {} more violations", 1_000 - (listed.len() - 1))
        );
    }
}
