//! `watch`: what changes, a line each, for as long as one looks.
//!
//! A stream that breaks off is taken up again from its last token by itself; at ^C the token is told.

use std::io;
use std::io::Write;
use std::time::Duration;

use clap::Args;
use tokio::time::sleep;
use tonic::Code;
use tonic::Status;
use tonic::Streaming;

use crate::cli::client::CallArgs;
use crate::cli::failure::Failure;
use crate::cli::schema;
use crate::cli::serve::Stop;
use crate::cli::view;
use crate::cli::view::Page;
use crate::wire::pb;
use crate::wire::pb::forecast_service_client::ForecastServiceClient;
use crate::wire::pb::watch_deals_response::Item;

pub const EXAMPLES: &str = "Examples:
  verbatim watch                             from now on
  verbatim watch --owner 'Robin Clark' --crossings
  verbatim watch --from beginning --min 5
  verbatim watch --from 1f.2026-11-22..5b1c03aa --json | jq .change.dealId

^C ends it and tells the token to go on from.";

/// The wait before a stream is taken up again; doubled each time it fails at once.
const RETRY_DELAY: Duration = Duration::from_millis(200);
const RETRY_DELAY_MAX: Duration = Duration::from_secs(5);

#[derive(Args, Debug)]
pub struct WatchArgs {
    /// The token to go on from, or `beginning` (default: from now on)
    #[arg(long, value_name = "TOKEN")]
    from: Option<String>,
    /// Only this deal (repeat for more)
    #[arg(long = "deal", value_name = "ID")]
    deals: Vec<String>,
    /// Only deals of this owner
    #[arg(long)]
    owner: Option<String>,
    /// Only deals of this account
    #[arg(long)]
    account: Option<String>,
    /// Only changes of at least so many points
    #[arg(long = "min", value_name = "POINTS", default_value_t = 0.0)]
    min_change: f64,
    /// Only changes of band or state
    #[arg(long)]
    crossings: bool,
    #[command(flatten)]
    call: CallArgs,
}

/// A stream, and where it is.
struct Watch {
    request: pb::WatchDealsRequest,
    /// Of the last item or heartbeat.
    token: String,
    delay: Duration,
}

pub async fn run(args: WatchArgs) -> Result<String, Failure> {
    let mut stop = Stop::listen()?;
    let from_beginning = args.from.as_deref() == Some("beginning");
    let resume_token = match args.from {
        Some(token) if !from_beginning => token,
        _ => String::new(),
    };
    let mut watch = Watch {
        token: resume_token.clone(),
        request: pb::WatchDealsRequest {
            resume_token,
            from_beginning,
            deal_ids: args.deals,
            owner: args.owner.unwrap_or_default(),
            account: args.account.unwrap_or_default(),
            min_change: args.min_change,
            only_crossings: args.crossings,
            heartbeat_seconds: 0,
        },
        delay: RETRY_DELAY,
    };
    let told = tokio::select! {
        told = watch.all(&args.call) => told,
        () = stop.wanted() => Ok(()),
    };
    if !watch.token.is_empty() {
        eprintln!("go on with --from {}", watch.token);
    }
    told.map(|()| String::new())
}

impl Watch {
    /// Tells item after item. Ends when nobody reads any more, or with a refusal that would come again.
    async fn all(&mut self, call: &CallArgs) -> Result<(), Failure> {
        // The first connection may fail for good: there is no service. Later it is waited for.
        let mut client = call.server.connect().await?.forecast;
        loop {
            let ended = match self.open(&mut client).await {
                Ok(items) => match self.tell(call, items).await {
                    Ok(()) => return Ok(()),
                    Err(status) => status,
                },
                Err(status) => status,
            };
            if !may_pass(&ended) {
                return Err(call.refusal(&ended));
            }
            eprintln!("the stream ended: {}; taking it up again", ended.message());
            sleep(self.delay).await;
            self.delay = (self.delay * 2).min(RETRY_DELAY_MAX);
        }
    }

    async fn open(
        &self,
        client: &mut ForecastServiceClient<tonic::transport::Channel>,
    ) -> Result<Streaming<pb::WatchDealsResponse>, Status> {
        let mut request = self.request.clone();
        if !self.token.is_empty() {
            request.from_beginning = false;
            request.resume_token.clone_from(&self.token);
        }
        Ok(client.watch_deals(request).await?.into_inner())
    }

    /// Ends well when nobody reads what is told.
    async fn tell(
        &mut self,
        call: &CallArgs,
        mut items: Streaming<pb::WatchDealsResponse>,
    ) -> Result<(), Status> {
        let page = Page::of_stdout();
        loop {
            let answer = items.message().await?;
            let answer = answer.ok_or_else(|| Status::unavailable("the service ended it"))?;
            let (token, line) = match &answer.item {
                Some(Item::Change(change)) => (&change.token, view::watch::line(&page, change)),
                Some(Item::Heartbeat(beat)) => (&beat.token, String::new()),
                None => continue,
            };
            let line = match call.json {
                true => schema::to_json_line("WatchDealsResponse", &answer) + "\n",
                false => line,
            };
            let mut out = io::stdout().lock();
            if out
                .write_all(line.as_bytes())
                .and_then(|()| out.flush())
                .is_err()
            {
                return Ok(());
            }
            // What was told is behind; what was not is told again.
            self.token.clone_from(token);
            self.delay = RETRY_DELAY;
        }
    }
}

/// Whether the stream may go on a moment later.
fn may_pass(ended: &Status) -> bool {
    match ended.code() {
        Code::Unavailable | Code::ResourceExhausted | Code::Unknown | Code::Cancelled => true,
        // Without details it is not the service that says so, but a connection that broke.
        Code::Internal => ended.details().is_empty(),
        _ => false,
    }
}
