//! A service on a copy of a directory, in this process.

use std::path::Path;

use tempfile::TempDir;
use verbatim::config::SettingFlags;
use verbatim::config::Settings;
use verbatim::grpc::serve::Server;
use verbatim::grpc::start::StartError;

use crate::client::Answers;
use crate::client::Client;
use crate::support::copy;
use crate::write::DEALS;
use crate::write::deal_id;

/// Serves a directory on a free port.
pub async fn serve(data: &Path) -> Result<(Server, Client), StartError> {
    let effective = Settings::load(&SettingFlags::default(), &[], None).unwrap();
    let settings = Settings {
        data: data.to_owned(),
        listen: "127.0.0.1:0".parse().unwrap(),
        ..effective.settings
    };
    let server = Server::start(&settings).await?;
    let client = Client::connect(&format!("http://{}", server.local_addr())).await;
    Ok((server, client))
}

/// A copy of a directory that nobody holds, without anything that was derived.
pub fn without_projections(data: &Path) -> TempDir {
    let bare = copy(data);
    // A store without its watermark forgets all projections as it opens.
    std::fs::remove_file(bare.path().join("watermark")).unwrap();
    bare
}

/// All answers about all deals.
pub async fn all_answers(client: &Client) -> Vec<Answers> {
    let mut all = Vec::new();
    for number in 0..DEALS {
        all.push(client.answers(&deal_id(number)).await);
    }
    all
}
