//! Items of the feed of changes.

use crate::app::watch::Cause;
use crate::app::watch::Kind;
use crate::app::watch::Moved;
use crate::app::watch::Standing;
use crate::app::watch::Told;
use crate::domain::text::Name;
use crate::grpc::request::watch::token;
use crate::wire::listed::number;
use crate::wire::listed::number_or_unset;
use crate::wire::pb;
use crate::wire::pb::watch_deals_response::Item;
use crate::wire::value::encode_moment;

pub fn encode(told: &Told) -> pb::WatchDealsResponse {
    let item = match told {
        Told::Moved(moved) => Item::Change(encode_moved(moved)),
        Told::Heartbeat(place) => Item::Heartbeat(pb::WatchHeartbeat {
            token: token(place),
        }),
    };
    pb::WatchDealsResponse { item: Some(item) }
}

fn encode_moved(moved: &Moved) -> pb::DealChange {
    let Moved {
        place,
        deal_id,
        revision,
        at,
        cause,
        before,
        after,
        name,
        account,
        owner,
        owner_before: _,
    } = moved;
    let Standing {
        score,
        band,
        state,
        top_cause,
    } = after;
    let (cause, events, day) = match cause {
        Cause::Event(kinds) => (
            pb::ChangeCause::Event,
            kinds.iter().map(|kind| encode_kind(*kind).into()).collect(),
            String::new(),
        ),
        Cause::Time(day) => (pb::ChangeCause::Time, Vec::new(), day.to_string()),
    };
    pb::DealChange {
        token: token(place),
        deal_id: deal_id.to_string(),
        revision: *revision,
        at: Some(encode_moment(*at)),
        cause: cause.into(),
        events,
        day,
        score_before: before.map(|before| before.score),
        score: *score,
        band_before: number_or_unset(before.map(|before| before.band)),
        band: number(*band),
        state_before: number_or_unset(before.map(|before| before.state)),
        state: number(*state),
        band_crossed: moved.band_crossed(),
        state_crossed: moved.state_crossed(),
        top_cause_before: number_or_unset(before.and_then(|before| before.top_cause)),
        top_cause: number_or_unset(*top_cause),
        name: text(name),
        account: text(account),
        owner: text(owner),
    }
}

fn encode_kind(kind: Kind) -> pb::EventKind {
    match kind {
        Kind::Deal => pb::EventKind::Deal,
        Kind::Stakeholder => pb::EventKind::Stakeholder,
        Kind::Statement => pb::EventKind::Statement,
        Kind::Milestone => pb::EventKind::Milestone,
        Kind::Outcome => pb::EventKind::Outcome,
        Kind::Retraction => pb::EventKind::Retraction,
        Kind::Confirmation => pb::EventKind::Confirmation,
    }
}

fn text(name: &Option<Name>) -> String {
    name.as_ref()
        .map_or_else(String::new, |name| name.as_str().into())
}
