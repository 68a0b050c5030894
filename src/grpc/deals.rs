//! The facts around the words: decode, call, encode.

use std::sync::Arc;

use prost::Message;
use tonic::Request;
use tonic::Response;
use tonic::Status;
use tonic::async_trait;

use crate::app::App;
use crate::grpc::answer::deal;
use crate::grpc::answer::model;
use crate::grpc::qualification::answer;
use crate::grpc::request;
use crate::grpc::status;
use crate::store::DealKey;
use crate::wire::event;
use crate::wire::pb;
use crate::wire::pb::deal_service_server::DealService;
use crate::wire::reading::Violations;

/// A page ends here even when more entries were asked for: clients take at most 4 MiB by default.
const PAGE_BYTES_MAX: usize = 1 << 20;

/// `verbatim.v1.DealService`.
pub struct Deals {
    app: Arc<App>,
}

impl Deals {
    pub fn new(app: Arc<App>) -> Deals {
        Deals { app }
    }
}

#[async_trait]
impl DealService for Deals {
    async fn upsert_deal(
        &self,
        request: Request<pb::UpsertDealRequest>,
    ) -> Result<Response<pb::UpsertDealResponse>, Status> {
        let write = request::upsert_deal(request.into_inner(), self.app.now()).map_err(refused)?;
        let written = self
            .app
            .upsert_deal(&write.deal, write.facts, write.expected_revision)
            .await
            .map_err(status::of)?;
        let view = self.app.deal(&write.deal).await;
        let view = view.map_err(|error| status::of(error.behind_a_write()))?;
        let deal = deal::encode(&view).deal;
        Ok(answer(pb::UpsertDealResponse {
            deal,
            revision: written.revision,
        }))
    }

    async fn get_deal(
        &self,
        request: Request<pb::GetDealRequest>,
    ) -> Result<Response<pb::GetDealResponse>, Status> {
        let key = request::get_deal(request.into_inner(), self.app.now()).map_err(refused)?;
        let view = self.app.deal(&key).await.map_err(status::of)?;
        Ok(answer(deal::encode(&view)))
    }

    async fn upsert_stakeholders(
        &self,
        request: Request<pb::UpsertStakeholdersRequest>,
    ) -> Result<Response<pb::UpsertStakeholdersResponse>, Status> {
        let write =
            request::upsert_stakeholders(request.into_inner(), self.app.now()).map_err(refused)?;
        let written = self
            .app
            .upsert_stakeholders(&write.deal, write.facts, write.expected_revision)
            .await
            .map_err(status::of)?;
        Ok(answer(pb::UpsertStakeholdersResponse {
            revision: written.revision,
        }))
    }

    async fn upsert_milestones(
        &self,
        request: Request<pb::UpsertMilestonesRequest>,
    ) -> Result<Response<pb::UpsertMilestonesResponse>, Status> {
        let write =
            request::upsert_milestones(request.into_inner(), self.app.now()).map_err(refused)?;
        let written = self
            .app
            .upsert_milestones(&write.deal, write.facts, write.expected_revision)
            .await
            .map_err(status::of)?;
        Ok(answer(pb::UpsertMilestonesResponse {
            revision: written.revision,
        }))
    }

    async fn record_outcome(
        &self,
        request: Request<pb::RecordOutcomeRequest>,
    ) -> Result<Response<pb::RecordOutcomeResponse>, Status> {
        let write =
            request::record_outcome(request.into_inner(), self.app.now()).map_err(refused)?;
        let written = self
            .app
            .record_outcome(&write.deal, write.facts, write.expected_revision)
            .await
            .map_err(status::of)?;
        Ok(answer(pb::RecordOutcomeResponse {
            revision: written.revision,
        }))
    }

    async fn retract_buyer_statement(
        &self,
        request: Request<pb::RetractBuyerStatementRequest>,
    ) -> Result<Response<pb::RetractBuyerStatementResponse>, Status> {
        let write = request::retract(request.into_inner(), self.app.now()).map_err(refused)?;
        let written = self
            .app
            .retract_statement(&write.deal, write.facts, write.expected_revision)
            .await
            .map_err(status::of)?;
        Ok(answer(pb::RetractBuyerStatementResponse {
            revision: written.revision,
            already_retracted: written.already,
        }))
    }

    async fn list_deal_history(
        &self,
        request: Request<pb::ListDealHistoryRequest>,
    ) -> Result<Response<pb::ListDealHistoryResponse>, Status> {
        let page = request::list_history(request.into_inner(), self.app.now()).map_err(refused)?;
        let after = page_start(&page.deal, &page.page_token).ok_or_else(status::page_token)?;
        // One more than asked for tells whether there is a next page.
        let history = self
            .app
            .history(&page.deal, after, page.page_size + 1)
            .await
            .map_err(status::of)?;
        let mut events = Vec::new();
        let mut bytes = 0;
        for entry in history.iter().take(page.page_size) {
            let message = event::message(entry, &page.deal.deal);
            bytes += message.encoded_len();
            if PAGE_BYTES_MAX < bytes && !events.is_empty() {
                break;
            }
            events.push(message);
        }
        let next_page_token = match events.last() {
            Some(last) if events.len() < history.len() => page_token(&page.deal, last.revision),
            _ => String::new(),
        };
        Ok(answer(pb::ListDealHistoryResponse {
            events,
            next_page_token,
        }))
    }

    async fn get_model(
        &self,
        request: Request<pb::GetModelRequest>,
    ) -> Result<Response<pb::GetModelResponse>, Status> {
        let pb::GetModelRequest {} = request.into_inner();
        Ok(answer(pb::GetModelResponse {
            model: Some(model::encode(self.app.model())),
        }))
    }
}

fn refused(violations: Violations) -> Status {
    status::of_violations(&violations)
}

/// Where the next page of this deal begins: after a revision. The check holds the token to the deal.
fn page_token(deal: &DealKey, after: u64) -> String {
    format!("{after:x}-{:08x}", check(deal, after))
}

/// The revision that a token names; `None` for one that is not of this deal.
fn page_start(deal: &DealKey, token: &str) -> Option<u64> {
    if token.is_empty() {
        return Some(0);
    }
    let (after, _) = token.split_once('-')?;
    let after = u64::from_str_radix(after, 16).ok()?;
    (page_token(deal, after) == token).then_some(after)
}

fn check(deal: &DealKey, after: u64) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(deal.tenant.as_bytes());
    hasher.update(&[0]);
    hasher.update(deal.deal.as_bytes());
    hasher.update(&after.to_be_bytes());
    hasher.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_token_is_good_for_its_own_deal_only() {
        let key = |deal: &str| DealKey {
            tenant: "default".into(),
            deal: deal.into(),
        };
        for after in [1, 100, u64::MAX] {
            let token = page_token(&key("d1"), after);
            assert_eq!(page_start(&key("d1"), &token), Some(after));
            assert_eq!(page_start(&key("d2"), &token), None);
            assert_eq!(page_start(&key("d1"), &token.to_uppercase()), None);
        }
        assert_eq!(page_start(&key("d1"), ""), Some(0));
        for wrong in [
            "-",
            "1",
            "1-",
            "x-00000000",
            "+1-00000000",
            "1-00000000",
            "é",
        ] {
            assert_eq!(page_start(&key("d1"), wrong), None, "{wrong}");
        }
    }
}
