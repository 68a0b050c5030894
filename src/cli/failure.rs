//! Why a command did not do it, and the exit code that tells programs who should act.

use std::process::ExitCode;
use std::sync::LazyLock;
use std::time::Duration;

use prost_reflect::DescriptorPool;
use prost_reflect::DynamicMessage;
use serde_json::Value;
use serde_json::json;
use tonic::Code;
use tonic::Status;
use tonic_types::ErrorDetails;
use tonic_types::StatusExt;

static DETAILS: LazyLock<DescriptorPool> = LazyLock::new(|| {
    DescriptorPool::decode(tonic_types::pb::FILE_DESCRIPTOR_SET)
        .expect("tonic-types carries the descriptor of google.rpc")
});

/// The codes of `sysexits.h`, but for 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// The service says no: there is no such deal, the deal is closed, the id is taken.
    Refused = 1,
    /// The command line or the configuration is wrong.
    Usage = 64,
    /// What was to be written is wrong.
    Data = 65,
    /// There is no service, or its store refuses.
    Unavailable = 69,
    /// A fault of ours.
    Internal = 70,
    /// It may work if tried again.
    Temporary = 75,
}

/// What is told on standard error before the command ends.
#[derive(Debug)]
pub struct Failure {
    pub exit: u8,
    pub text: String,
}

impl Failure {
    pub fn new(exit: Exit, text: impl Into<String>) -> Failure {
        Failure {
            exit: exit as u8,
            text: format!("verbatim: {}", text.into()),
        }
    }

    /// The refusal of a call, for people.
    pub fn of_status(status: &Status) -> Failure {
        let mut text = format!("verbatim: {}", sentence(status));
        for line in remarks(status) {
            text.push_str(&format!("\n  {line}"));
        }
        Failure {
            exit: exit_of(status.code()) as u8,
            text,
        }
    }

    /// The refusal of a call, for programs: the JSON that the JSON door answers.
    pub fn of_status_as_json(status: &Status) -> Failure {
        let value = json!({
            "code": code_name(status.code()),
            "message": status.message(),
            "details": details_as_json(status.details()),
        });
        Failure {
            exit: exit_of(status.code()) as u8,
            text: format!("{value:#}"),
        }
    }

    pub fn code(&self) -> ExitCode {
        ExitCode::from(self.exit)
    }
}

/// The status's own sentence, or what stands in for one.
pub fn sentence(status: &Status) -> String {
    match status.message() {
        "" => format!("the service answered {}", code_name(status.code())),
        message => message.to_owned(),
    }
}

/// What a status says beyond its sentence: each field at fault, and when to try again.
pub fn remarks(status: &Status) -> Vec<String> {
    let details = status.get_error_details();
    let mut remarks = Vec::new();
    if let Some(request) = details.bad_request() {
        for violation in &request.field_violations {
            remarks.push(format!("{}: {}", violation.field, violation.description));
        }
    }
    if let Some(delay) = retry_delay(&details) {
        remarks.push(format!("try again in {:.1} s", delay.as_secs_f64()));
    }
    remarks
}

/// After how long a retry helps, where the service says so.
pub fn retry_delay(details: &ErrorDetails) -> Option<Duration> {
    details.retry_info().and_then(|info| info.retry_delay)
}

/// Who should act on a code.
pub fn exit_of(code: Code) -> Exit {
    match code {
        Code::InvalidArgument | Code::OutOfRange => Exit::Data,
        Code::NotFound
        | Code::AlreadyExists
        | Code::FailedPrecondition
        | Code::Aborted
        | Code::PermissionDenied
        | Code::Unauthenticated => Exit::Refused,
        Code::Unavailable => Exit::Unavailable,
        Code::ResourceExhausted | Code::DeadlineExceeded | Code::Cancelled => Exit::Temporary,
        Code::Ok | Code::Unknown | Code::Internal | Code::DataLoss | Code::Unimplemented => {
            Exit::Internal
        }
    }
}

pub fn code_name(code: Code) -> &'static str {
    match code {
        Code::Ok => "ok",
        Code::Cancelled => "canceled",
        Code::Unknown => "unknown",
        Code::InvalidArgument => "invalid_argument",
        Code::DeadlineExceeded => "deadline_exceeded",
        Code::NotFound => "not_found",
        Code::AlreadyExists => "already_exists",
        Code::PermissionDenied => "permission_denied",
        Code::ResourceExhausted => "resource_exhausted",
        Code::FailedPrecondition => "failed_precondition",
        Code::Aborted => "aborted",
        Code::OutOfRange => "out_of_range",
        Code::Unimplemented => "unimplemented",
        Code::Internal => "internal",
        Code::Unavailable => "unavailable",
        Code::DataLoss => "data_loss",
        Code::Unauthenticated => "unauthenticated",
    }
}

/// The details of a status, each with its `@type`. What cannot be read is left out.
fn details_as_json(status: &[u8]) -> Value {
    DETAILS
        .get_message_by_name("google.rpc.Status")
        .and_then(|kind| DynamicMessage::decode(kind, status).ok())
        .and_then(|status| serde_json::to_value(status).ok())
        .and_then(|mut status| status.get_mut("details").map(Value::take))
        .unwrap_or_else(|| json!([]))
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    fn refusal() -> Status {
        let mut details = ErrorDetails::with_error_info(
            "INVALID_FIELDS",
            "verbatim.v1",
            HashMap::from([("limit".to_owned(), "16".to_owned())]),
        );
        details.add_bad_request_violation("statement.quote", "must be 1 to 4096 bytes, got 0");
        details.add_bad_request_violation("statement.claims[0].topic", "must be set");
        details.set_retry_info(Some(Duration::from_millis(500)));
        Status::with_error_details(
            Code::InvalidArgument,
            "The statement has 2 fields to correct.",
            details,
        )
    }

    #[test]
    fn people_read_the_sentence_and_each_field() {
        let failure = Failure::of_status(&refusal());
        assert_eq!(failure.exit, 65);
        let expected = "verbatim: The statement has 2 fields to correct.\n  statement.quote: must be 1 to 4096 bytes, got 0\n  statement.claims[0].topic: must be set\n  try again in 0.5 s";
        assert_eq!(failure.text, expected);
    }

    #[test]
    fn programs_read_the_reason() {
        let failure = Failure::of_status_as_json(&refusal());
        let value: Value = serde_json::from_str(&failure.text).unwrap();
        assert_eq!(value["code"], "invalid_argument");
        let detail = |name: &str| {
            let details = value["details"].as_array().unwrap();
            let found = details
                .iter()
                .find(|detail| detail["@type"].as_str().unwrap().ends_with(name));
            found.unwrap().clone()
        };
        assert_eq!(detail("ErrorInfo")["reason"], "INVALID_FIELDS");
        assert_eq!(detail("ErrorInfo")["metadata"]["limit"], "16");
        let violations = &detail("BadRequest")["fieldViolations"];
        assert_eq!(violations[1]["field"], "statement.claims[0].topic");
        assert_eq!(detail("RetryInfo")["retryDelay"], "0.500s");
    }

    #[test]
    fn the_exit_code_tells_who_should_act() {
        for (code, exit) in [
            (Code::NotFound, 1),
            (Code::Aborted, 1),
            (Code::OutOfRange, 65),
            (Code::Unavailable, 69),
            (Code::DataLoss, 70),
            (Code::ResourceExhausted, 75),
        ] {
            assert_eq!(
                Failure::of_status(&Status::new(code, "")).exit,
                exit,
                "{code:?}"
            );
        }
    }
}
