//! Where telemetry is sent: the standard variables of OpenTelemetry, `OTEL_*`, as far as they concern OTLP over gRPC.
//!
//! 1. A signal is sent when an endpoint is named, or its exporter is `otlp`; `none` and `OTEL_SDK_DISABLED` win over both.
//! 2. A variable of one signal wins over the one for all. An empty variable is none.
//! 3. Names and attributes are read by OpenTelemetry itself, and not here.

use std::path::PathBuf;
use std::time::Duration;

use percent_encoding::percent_decode_str;

use crate::config::sampling::Sampling;

/// By the specification, where an exporter is asked for and no endpoint.
const ENDPOINT_DEFAULT: &str = "http://localhost:4317";

/// By the specification.
const TIMEOUT_DEFAULT: Duration = Duration::from_secs(10);

/// By the specification.
const INTERVAL_DEFAULT: Duration = Duration::from_secs(60);

/// The signals that are sent, each with its way.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Otlp {
    pub traces: Option<Collector>,
    pub metrics: Option<Collector>,
    pub logs: Option<Collector>,
    /// Which of the traces.
    pub sampling: Sampling,
    /// How often metrics are sent. Default: 60 s.
    pub metric_interval: Duration,
}

/// The way to a collector.
#[derive(Clone, Debug, PartialEq)]
pub struct Collector {
    /// With its scheme.
    pub endpoint: String,
    /// Sent with each request.
    pub headers: Vec<(String, String)>,
    /// How long one sending may take. Default: 10 s.
    pub timeout: Duration,
    pub gzip: bool,
    /// The authorities to trust, in PEM. Default: those of Mozilla.
    pub certificate: Option<PathBuf>,
    /// Certificate and key to show the collector, in PEM. Default: none is shown.
    pub identity: Option<(PathBuf, PathBuf)>,
}

/// What a variable holds, by its name.
pub type Variables<'a> = &'a dyn Fn(&str) -> Option<String>;

impl Otlp {
    /// Reads the variables.
    ///
    /// # Errors
    ///
    /// Every fault at once, each a line with the variable and what is allowed.
    pub fn read(variables: Variables) -> Result<Otlp, Vec<String>> {
        let set = |name: &str| variables(name).filter(|value| !value.trim().is_empty());
        let mut faults = Vec::new();
        if set("OTEL_SDK_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true")) {
            return Ok(Otlp::default());
        }
        let mut signal = |name| Signal { name, set: &set }.read(&mut faults);
        let (traces, metrics, logs) = (signal("TRACES"), signal("METRICS"), signal("LOGS"));
        let sampling = Sampling::read(&set, &mut faults);
        let interval = milliseconds(
            &set,
            &["OTEL_METRIC_EXPORT_INTERVAL"],
            INTERVAL_DEFAULT,
            &mut faults,
        );
        match faults.is_empty() {
            true => Ok(Otlp {
                traces,
                metrics,
                logs,
                sampling,
                metric_interval: interval,
            }),
            false => Err(faults),
        }
    }
}

/// One signal and the variables that are set.
struct Signal<'a> {
    /// As in the middle of its variables.
    name: &'static str,
    set: Variables<'a>,
}

impl Signal<'_> {
    fn read(&self, faults: &mut Vec<String>) -> Option<Collector> {
        let exporter = format!("OTEL_{}_EXPORTER", self.name);
        let endpoint = self.find("ENDPOINT");
        let endpoint = match (self.set)(&exporter).as_deref() {
            Some("none") => return None,
            Some("otlp") => endpoint.map_or(ENDPOINT_DEFAULT.to_owned(), |(_, found)| found),
            Some(other) => {
                faults.push(format!("{exporter}: must be otlp or none, got `{other}`"));
                return None;
            }
            None => endpoint?.1,
        };
        if let Some((name, protocol)) = self.find("PROTOCOL")
            && protocol != "grpc"
        {
            faults.push(format!("{name}: must be grpc, got `{protocol}`"));
        }
        Some(Collector {
            endpoint: self.with_scheme(endpoint),
            headers: self.headers(faults),
            timeout: milliseconds(self.set, &self.names("TIMEOUT"), TIMEOUT_DEFAULT, faults),
            gzip: self.gzip(faults),
            certificate: self.find("CERTIFICATE").map(|(_, path)| path.into()),
            identity: self.identity(faults),
        })
    }

    /// The variable of this signal, then the one of all.
    fn names(&self, what: &str) -> [String; 2] {
        [
            format!("OTEL_EXPORTER_OTLP_{}_{what}", self.name),
            format!("OTEL_EXPORTER_OTLP_{what}"),
        ]
    }

    fn find(&self, what: &str) -> Option<(String, String)> {
        let mut names = self.names(what).into_iter();
        names.find_map(|name| (self.set)(&name).map(|value| (name, value)))
    }

    /// An endpoint without a scheme is one with TLS, unless told otherwise.
    fn with_scheme(&self, endpoint: String) -> String {
        if endpoint.contains("://") {
            return endpoint;
        }
        let insecure = self.find("INSECURE");
        match insecure.is_some_and(|(_, value)| value.eq_ignore_ascii_case("true")) {
            true => format!("http://{endpoint}"),
            false => format!("https://{endpoint}"),
        }
    }

    /// `key=value` by commas, the values percent-encoded.
    fn headers(&self, faults: &mut Vec<String>) -> Vec<(String, String)> {
        let Some((name, text)) = self.find("HEADERS") else {
            return Vec::new();
        };
        let mut headers = Vec::new();
        for pair in text
            .split(',')
            .map(str::trim)
            .filter(|pair| !pair.is_empty())
        {
            let decoded = pair.split_once('=').and_then(|(key, value)| {
                let value = percent_decode_str(value.trim()).decode_utf8().ok()?;
                Some((key.trim().to_ascii_lowercase(), value.into_owned()))
            });
            match decoded {
                Some(header) => headers.push(header),
                // Without the value, which may be a secret.
                None => faults.push(format!("{name}: must be key=value pairs by commas")),
            }
        }
        headers
    }

    fn gzip(&self, faults: &mut Vec<String>) -> bool {
        match self.find("COMPRESSION") {
            None => false,
            Some((_, none)) if none == "none" => false,
            Some((_, gzip)) if gzip == "gzip" => true,
            Some((name, other)) => {
                faults.push(format!("{name}: must be gzip or none, got `{other}`"));
                false
            }
        }
    }

    fn identity(&self, faults: &mut Vec<String>) -> Option<(PathBuf, PathBuf)> {
        match (self.find("CLIENT_CERTIFICATE"), self.find("CLIENT_KEY")) {
            (Some((_, certificate)), Some((_, key))) => Some((certificate.into(), key.into())),
            (None, None) => None,
            (Some((name, _)), None) | (None, Some((name, _))) => {
                faults.push(format!("{name}: needs both a certificate and a key"));
                None
            }
        }
    }
}

fn milliseconds(
    set: Variables,
    names: &[impl AsRef<str>],
    default: Duration,
    faults: &mut Vec<String>,
) -> Duration {
    for name in names.iter().map(AsRef::as_ref) {
        let Some(text) = set(name) else {
            continue;
        };
        match text.parse() {
            Ok(ms @ 1..=3_600_000) => return Duration::from_millis(ms),
            _ => faults.push(format!(
                "{name}: must be milliseconds from 1 to 3600000, got `{text}`"
            )),
        }
    }
    default
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<Otlp, Vec<String>> {
        Otlp::read(&|name| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    /// The endpoints of traces, metrics and logs, `-` for what is not sent.
    #[track_caller]
    fn check(variables: &[(&str, &str)], expected: &str) {
        let otlp = read(variables).unwrap();
        let endpoints: Vec<&str> = [&otlp.traces, &otlp.metrics, &otlp.logs]
            .into_iter()
            .map(|signal| signal.as_ref().map_or("-", |to| &to.endpoint))
            .collect();
        assert_eq!(endpoints.join(" "), expected, "{variables:?}");
    }

    const ALL: (&str, &str) = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://all:1");

    #[test]
    fn a_signal_is_sent_where_an_endpoint_or_an_exporter_is_named() {
        check(&[], "- - -");
        check(&[("OTEL_EXPORTER_OTLP_ENDPOINT", "")], "- - -");
        check(&[ALL], "http://all:1 http://all:1 http://all:1");
        check(&[ALL, ("OTEL_SDK_DISABLED", "TRUE")], "- - -");
        check(
            &[ALL, ("OTEL_METRICS_EXPORTER", "none")],
            "http://all:1 - http://all:1",
        );
        check(
            &[ALL, ("OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", "https://logs:2")],
            "http://all:1 http://all:1 https://logs:2",
        );
        check(
            &[("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "http://metrics:2")],
            "- http://metrics:2 -",
        );
        check(
            &[("OTEL_TRACES_EXPORTER", "otlp")],
            "http://localhost:4317 - -",
        );
        check(
            &[("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "plain:1")],
            "https://plain:1 - -",
        );
        check(
            &[
                ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "plain:1"),
                ("OTEL_EXPORTER_OTLP_INSECURE", "true"),
            ],
            "http://plain:1 - -",
        );
    }

    #[test]
    fn the_way_of_a_signal_wins_over_the_way_of_all() {
        let otlp = read(&[
            ALL,
            ("OTEL_EXPORTER_OTLP_HEADERS", "Api-Key=a%20b, x=1"),
            ("OTEL_EXPORTER_OTLP_METRICS_HEADERS", "y=2"),
            ("OTEL_EXPORTER_OTLP_TIMEOUT", "1500"),
            ("OTEL_EXPORTER_OTLP_LOGS_TIMEOUT", "10"),
            ("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip"),
            ("OTEL_EXPORTER_OTLP_CERTIFICATE", "/ca.pem"),
            ("OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE", "/me.pem"),
            ("OTEL_EXPORTER_OTLP_CLIENT_KEY", "/me.key"),
            ("OTEL_METRIC_EXPORT_INTERVAL", "2000"),
        ])
        .unwrap();
        let header = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        let expected = Collector {
            endpoint: "http://all:1".to_owned(),
            headers: vec![header("api-key", "a b"), header("x", "1")],
            timeout: Duration::from_millis(1_500),
            gzip: true,
            certificate: Some("/ca.pem".into()),
            identity: Some(("/me.pem".into(), "/me.key".into())),
        };
        assert_eq!(otlp.traces.as_ref(), Some(&expected));
        assert_eq!(otlp.metrics.unwrap().headers, [header("y", "2")]);
        assert_eq!(otlp.logs.unwrap().timeout, Duration::from_millis(10));
        assert_eq!(otlp.metric_interval, Duration::from_secs(2));
    }

    #[test]
    fn all_faults_are_told_at_once_and_no_secret() {
        let faults = read(&[
            ALL,
            ("OTEL_LOGS_EXPORTER", "console"),
            ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "http/protobuf"),
            ("OTEL_EXPORTER_OTLP_METRICS_HEADERS", "secret"),
            ("OTEL_EXPORTER_OTLP_METRICS_COMPRESSION", "zip"),
            ("OTEL_EXPORTER_OTLP_TRACES_CLIENT_KEY", "/me.key"),
            ("OTEL_TRACES_SAMPLER", "xray"),
            ("OTEL_METRIC_EXPORT_INTERVAL", "0"),
        ])
        .unwrap_err();
        let starts = [
            "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: must be grpc",
            "OTEL_EXPORTER_OTLP_TRACES_CLIENT_KEY: needs both",
            "OTEL_EXPORTER_OTLP_METRICS_HEADERS: must be key=value",
            "OTEL_EXPORTER_OTLP_METRICS_COMPRESSION: must be gzip or none",
            "OTEL_LOGS_EXPORTER: must be otlp or none",
            "OTEL_TRACES_SAMPLER: must be always_on",
            "OTEL_METRIC_EXPORT_INTERVAL: must be milliseconds",
        ];
        assert_eq!(faults.len(), starts.len(), "{faults:#?}");
        for (fault, start) in faults.iter().zip(starts) {
            assert!(fault.starts_with(start), "{start}: {faults:#?}");
        }
        assert!(!faults.join(" ").contains("secret"), "{faults:#?}");
    }
}
