//! The reader of quotes that a user brings, as a gRPC service that is called.

use std::time::Duration;

use prost_types::Timestamp;
use tonic::Request;
use tonic::async_trait;
use tonic::transport::Channel;
use tonic::transport::Endpoint;

use crate::app::ClaimExtractor;
use crate::app::Extraction;
use crate::app::QuoteReader;
use crate::app::Read;
use crate::app::Spoken;
use crate::telemetry::traces;
use crate::wire::extraction;
use crate::wire::pb;
use crate::wire::pb::claim_extractor_client::ClaimExtractorClient;
use crate::wire::reading::Violations;
use crate::wire::value;

/// Sixteen claims with their words are far smaller.
const ANSWER_BYTES_MAX: usize = 256 << 10;

/// A peer that is gone without a word is noticed after these two, and connected to anew before it is next tried.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(10);
const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(5);

/// `verbatim.v1.ClaimExtractor` at a URL; connected when first asked, and again whenever it has gone away.
pub struct RemoteExtractor {
    client: ClaimExtractorClient<Channel>,
}

impl RemoteExtractor {
    /// # Errors
    ///
    /// A sentence when `url` is none that can be called.
    pub fn at(url: &str, connect_timeout: Duration) -> Result<RemoteExtractor, String> {
        let endpoint = Endpoint::from_shared(url.to_owned())
            .map_err(|_| "must be a URL such as http://127.0.0.1:7460".to_owned())?
            .connect_timeout(connect_timeout)
            .http2_keep_alive_interval(KEEPALIVE_INTERVAL)
            .keep_alive_timeout(KEEPALIVE_TIMEOUT)
            .keep_alive_while_idle(true);
        Ok(RemoteExtractor {
            client: ClaimExtractorClient::new(endpoint.connect_lazy())
                .max_decoding_message_size(ANSWER_BYTES_MAX),
        })
    }
}

#[async_trait]
impl ClaimExtractor for RemoteExtractor {
    async fn extract(&self, spoken: &Spoken) -> Result<Extraction, String> {
        let said_at: Timestamp = value::encode_moment(spoken.said_at);
        let mut request = Request::new(pb::ExtractRequest {
            quote: spoken.quote.as_str().into(),
            context: spoken.context.as_str().into(),
            said_at: Some(said_at),
        });
        traces::name_to(request.metadata_mut().as_mut());
        // Clones share the connection.
        let answer = self.client.clone().extract(request).await;
        // Its message may repeat the words, which are not for the log.
        let answer = answer.map_err(|status| format!("it answered {:?}", status.code()))?;
        let (claims, language) = extraction::decode(answer.into_inner(), spoken.quote.as_str())
            .map_err(|violations| format!("its answer is wrong in {}", fields(&violations)))?;
        Ok(Extraction {
            claims,
            read: Read {
                by: QuoteReader::External,
                language,
            },
        })
    }
}

/// The fields that are not what they may be, without what is in them.
fn fields(violations: &Violations) -> String {
    let fields = violations.all().iter();
    let fields: Vec<&str> = fields.map(|violation| &*violation.field).collect();
    fields.join(", ")
}
