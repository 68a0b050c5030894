//! A reader of quotes of one's own: a gRPC service `verbatim.v1.ClaimExtractor`, here for three things that are said in
//! German. Behind `read` may be anything that answers in time, such as a language model.
//!
//! ```text
//! cargo run --example claim-extractor          listens on 127.0.0.1:7460
//! verbatim serve --extractor http://127.0.0.1:7460
//! verbatim extract "Dafür haben wir dieses Jahr kein Budget."
//! ```
//!
//! Any language with gRPC does as well: the messages are in `proto/verbatim/v1/extraction.proto`.

use std::error::Error;

use tonic::Request;
use tonic::Response;
use tonic::Status;
use tonic::async_trait;
use tonic::transport::Server;
use verbatim::wire::pb;
use verbatim::wire::pb::Conviction;
use verbatim::wire::pb::Stance;
use verbatim::wire::pb::Topic;
use verbatim::wire::pb::claim_extractor_server::ClaimExtractor;
use verbatim::wire::pb::claim_extractor_server::ClaimExtractorServer;

/// Words, and what they claim.
const KNOWN: [(&str, Topic, Stance, Conviction); 3] = [
    (
        "kein Budget",
        Topic::Management,
        Stance::Opposes,
        Conviction::Owned,
    ),
    ("zu teuer", Topic::Value, Stance::Opposes, Conviction::Owned),
    (
        "so kann es nicht weitergehen",
        Topic::StatusQuo,
        Stance::Supports,
        Conviction::Owned,
    ),
];

struct German;

#[async_trait]
impl ClaimExtractor for German {
    async fn extract(
        &self,
        request: Request<pb::ExtractRequest>,
    ) -> Result<Response<pb::ExtractResponse>, Status> {
        Ok(Response::new(read(&request.into_inner().quote)))
    }
}

/// Each claim says how sure it is and on which words of the quote it rests.
fn read(quote: &str) -> pb::ExtractResponse {
    let claims: Vec<pb::Claim> = KNOWN
        .iter()
        .filter(|(words, ..)| quote.contains(words))
        .map(|(words, topic, stance, conviction)| pb::Claim {
            topic: *topic as i32,
            stance: *stance as i32,
            conviction: *conviction as i32,
            confidence: Some(0.7),
            basis: (*words).to_owned(),
            ..pb::Claim::default()
        })
        .collect();
    let language = match claims.is_empty() {
        // Not for this reader: the service then reads the quote itself.
        true => "unsupported",
        false => "de",
    };
    pb::ExtractResponse {
        claims,
        language: language.to_owned(),
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let listen = "127.0.0.1:7460".parse()?;
    println!("listens on http://{listen}");
    Server::builder()
        .add_service(ClaimExtractorServer::new(German))
        .serve(listen)
        .await?;
    Ok(())
}
