//! The way to a collector of telemetry, and what the service is called there.

use std::fs;
use std::path::Path;

use opentelemetry::KeyValue;
use opentelemetry_sdk::Resource;
use tonic::transport::Certificate;
use tonic::transport::Channel;
use tonic::transport::ClientTlsConfig;
use tonic::transport::Endpoint;
use tonic::transport::Identity;

use crate::config::otlp::Collector;

/// What a service is called that has no `OTEL_SERVICE_NAME`, and whose telemetry is sent.
pub const NAME: &str = "verbatim";

/// Connects when it is first needed, and again whenever it has to. Wants a runtime around it.
///
/// # Errors
///
/// What of the way cannot be: the endpoint, or a file of a certificate.
pub fn channel(to: &Collector) -> Result<Channel, String> {
    let wrong =
        |error: &dyn std::fmt::Display| format!("{}: cannot be a collector: {error}", to.endpoint);
    let endpoint = Endpoint::from_shared(to.endpoint.clone()).map_err(|error| wrong(&error))?;
    let endpoint = endpoint.connect_timeout(to.timeout).timeout(to.timeout);
    let is_tls = endpoint.uri().scheme_str() == Some("https");
    let endpoint = match is_tls {
        true => endpoint
            .tls_config(tls(to)?)
            .map_err(|error| wrong(&error))?,
        false => endpoint,
    };
    Ok(endpoint.connect_lazy())
}

fn tls(to: &Collector) -> Result<ClientTlsConfig, String> {
    let mut tls = match &to.certificate {
        Some(path) => ClientTlsConfig::new().ca_certificate(Certificate::from_pem(pem(path)?)),
        None => ClientTlsConfig::new().with_enabled_roots(),
    };
    if let Some((certificate, key)) = &to.identity {
        tls = tls.identity(Identity::from_pem(pem(certificate)?, pem(key)?));
    }
    Ok(tls)
}

fn pem(path: &Path) -> Result<Vec<u8>, String> {
    fs::read(path).map_err(|error| format!("{}: cannot be read: {error}", path.display()))
}

/// Name, version, and what `OTEL_RESOURCE_ATTRIBUTES` adds.
pub fn resource() -> Resource {
    let given = Resource::builder().build();
    let name = given.get(&"service.name".into());
    let is_named = name.is_some_and(|name| !name.as_str().starts_with("unknown_service"));
    let version = KeyValue::new("service.version", env!("CARGO_PKG_VERSION"));
    let resource = Resource::builder().with_attribute(version);
    match is_named {
        true => resource.build(),
        false => resource.with_service_name(NAME).build(),
    }
}
