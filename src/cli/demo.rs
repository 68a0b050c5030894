//! `demo`: a story of several deals, played to a service of its own through its own interface, and looked at.

use std::fs;
use std::io;
use std::io::Write;
use std::net::SocketAddr;
use std::path::Path;
use std::path::PathBuf;
use std::time::Instant;

use clap::Args;
use tempfile::TempDir;
use tonic::Status;

use crate::cli::client::Client;
use crate::cli::failure::Exit;
use crate::cli::failure::Failure;
use crate::cli::feed::Story;
use crate::cli::lanes::After;
use crate::cli::load;
use crate::cli::moment;
use crate::cli::progress::Progress;
use crate::cli::serve;
use crate::cli::serve::Stop;
use crate::cli::view;
use crate::cli::view::Page;
use crate::config::SERVER_DEFAULT;
use crate::config::Settings;
use crate::wire::pb;

pub const EXAMPLES: &str = "Examples:
  verbatim demo
  verbatim demo --once --listen 127.0.0.1:0
  verbatim demo --data ./demo-data       keep it, to go on with `verbatim serve --data ./demo-data`";

/// The story: deals over some months, as a file that `verbatim load` takes.
const STORY: &str = include_str!("../../examples/pipeline.ndjson");

/// Causes of the explained deal that are told in full.
const CAUSES_IN_FULL: usize = 3;

/// The story has far fewer.
const DEALS_MAX: i32 = 1_000;

/// What is known of one deal, to choose the one that is told in full.
struct Row {
    deal: pb::PipelineDeal,
    score: pb::DealScore,
    explanation: pb::StallExplanation,
}

#[derive(Args, Debug)]
pub struct DemoArgs {
    /// Where to keep the deals: a directory that is empty or absent (default: a temporary one, gone at the end)
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Where to listen; port 0 takes a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:7450")]
    listen: SocketAddr,
    /// End once everything is printed, instead of going on to serve
    #[arg(long)]
    once: bool,
}

pub async fn run(args: DemoArgs) -> Result<String, Failure> {
    let mut stop = Stop::listen()?;
    let place = Place::new(args.data.as_deref())?;
    // One deal's refusals are for its story to tell: the log speaks up only when something is wrong.
    let settings = Settings {
        data: place.path().to_owned(),
        listen: args.listen,
        log_level: "warn".to_owned(),
        ..Settings::default()
    };
    let _log = serve::log(&settings);
    let mut server = serve::start(&settings).await?;

    let url = format!("http://{}", server.local_addr());
    let shown = tokio::select! {
        shown = show(&url) => shown,
        () = stop.wanted() => Ok(()),
        why = server.ended() => return Err(Failure::new(Exit::Internal, why)),
    };
    if shown.is_ok() && !args.once {
        eprintln!(" The service goes on listening on {}; Ctrl-C ends it.", url);
        tokio::select! {
            () = stop.wanted() => {}
            why = server.ended() => return Err(Failure::new(Exit::Internal, why)),
        }
    }
    serve::drain(server, &mut stop).await?;
    shown.map(|()| String::new())
}

/// Plays the story and prints what the service makes of it.
async fn show(url: &str) -> Result<(), Failure> {
    let mut client = Client::connect(url).await?;
    let story = Story {
        name: "examples/pipeline.ndjson".to_owned(),
        text: STORY.to_owned(),
    };
    play(&story, &client).await?;

    let page = Page::of_stdout();
    let listed = list(&mut client).await;
    let deals = listed.map_err(|status| Failure::of_status(&status))?;
    tell(&(page.heading(&title(&deals)) + &view::pipeline::pipeline(&page, &deals)));

    let mut rows = Vec::new();
    for deal in deals {
        rows.push(
            row(&mut client, deal)
                .await
                .map_err(|status| Failure::of_status(&status))?,
        );
    }
    let Some(chosen) = chosen(&rows) else {
        return Ok(());
    };
    let deal = chosen.score.deal_id.clone();
    let weekly = weekly(&mut client, &deal)
        .await
        .map_err(|status| Failure::of_status(&status))?;
    tell(&page.heading(&format!("{}, week by week", called(chosen))));
    tell(&view::pipeline::over_time(&page, &weekly));
    tell(&page.heading(&format!(
        "verbatim score {deal}: where the points come from"
    )));
    tell(&view::score::score(&page, &chosen.score));
    tell(&page.heading(&format!(
        "verbatim explain {deal}: where the points are lost"
    )));
    tell(&view::explain::explanation(
        &page,
        &chosen.explanation,
        CAUSES_IN_FULL,
    ));
    tell(&try_next(&page, url, &deal));
    Ok(())
}

fn tell(text: &str) {
    // Whoever reads may have seen enough: `verbatim demo | head`.
    let _closed = io::stdout().write_all(text.as_bytes());
}

async fn play(story: &Story, client: &Client) -> Result<(), Failure> {
    let checked = story.check(Some(moment::now()));
    if !checked.faults.is_empty() {
        return Err(Failure::new(Exit::Internal, checked.faults.join("\n")));
    }
    let started = Instant::now();
    let tally = story
        .send(
            &checked,
            client,
            After::Stop,
            &Progress::new("playing the story", "line", checked.lines),
        )
        .await;
    let told = load::told(&tally, "line", checked.lines, started);
    if tally.refused > 0 {
        return Err(Failure::new(
            Exit::Internal,
            format!("the story was refused: {told}"),
        ));
    }
    eprintln!(" {told}");
    Ok(())
}

/// All deals, the best first; what is closed comes last.
async fn list(client: &mut Client) -> Result<Vec<pb::PipelineDeal>, Status> {
    let request = pb::ListDealsRequest {
        page_size: DEALS_MAX,
        ..pb::ListDealsRequest::default()
    };
    let answer = client.forecast.list_deals(request).await?;
    let mut deals = answer.into_inner().deals;
    deals.sort_by_key(|deal| !is_open(deal));
    Ok(deals)
}

async fn row(client: &mut Client, deal: pb::PipelineDeal) -> Result<Row, Status> {
    let score = pb::ScoreDealRequest {
        deal_id: deal.deal_id.clone(),
        ..pb::ScoreDealRequest::default()
    };
    let score = client.qualification.score_deal(score).await?;
    let explanation = pb::ExplainStallRequest {
        deal_id: deal.deal_id.clone(),
        ..pb::ExplainStallRequest::default()
    };
    let explanation = client.qualification.explain_stall(explanation).await?;
    Ok(Row {
        deal,
        score: score.into_inner().score.unwrap_or_default(),
        explanation: explanation.into_inner().explanation.unwrap_or_default(),
    })
}

/// The deal with most to tell: open and stalled, under a cap, with modifiers and words to cite.
fn chosen(rows: &[Row]) -> Option<&Row> {
    let tells = |row: &&Row| {
        let open = is_open(&row.deal);
        let stalled = row.explanation.state() == pb::DealState::Stalled;
        let capped = row.score.gates.iter().any(|gate| gate.binding);
        let modified = row
            .score
            .modifiers
            .iter()
            .any(|modifier| modifier.factor < 1.0);
        // A deal that is nearly lost has less to gain from an explanation.
        let alive = row.score.score >= 20.0;
        let cited: usize = row
            .explanation
            .causes
            .iter()
            .take(3)
            .map(|cause| cause.evidence.len())
            .sum();
        (open, stalled, alive, capped, modified, cited)
    };
    rows.iter().max_by_key(tells)
}

/// The score at the end of each week since the deal began, and now.
async fn weekly(client: &mut Client, deal: &str) -> Result<Vec<Option<f64>>, Status> {
    let request = pb::GetScoreHistoryRequest {
        deal_id: deal.to_owned(),
        step: pb::TrendStep::Weekly as i32,
        ..pb::GetScoreHistoryRequest::default()
    };
    let trend = client.forecast.get_score_history(request).await?;
    let points = trend.into_inner().points;
    Ok(points.iter().map(|point| Some(point.score)).collect())
}

fn is_open(deal: &pb::PipelineDeal) -> bool {
    deal.outcome() == pb::Outcome::Unspecified
}

fn title(deals: &[pb::PipelineDeal]) -> String {
    let open = deals.iter().filter(|deal| is_open(deal)).count();
    format!(
        "The pipeline: {}, {open} of them open",
        view::count(deals.len(), "deal")
    )
}

/// `opp-1 · Acme Insurance · Claims platform`.
fn called(row: &Row) -> String {
    let deal = &row.deal;
    let mut parts = vec![deal.deal_id.as_str(), &deal.account, &deal.name];
    parts.retain(|part| !part.is_empty());
    parts.join(" · ")
}

fn try_next(page: &Page, url: &str, deal: &str) -> String {
    let server = if url == SERVER_DEFAULT {
        String::new()
    } else {
        format!(" --server {url}")
    };
    format!(
        "{}   verbatim score {deal} --as-of -60d{server}\n   verbatim explain {deal} --plan \"Offer 10 % off if they sign by Friday\"{server}\n   curl -s {url}/verbatim.v1.QualificationService/ExplainStall -H 'content-type: application/json' -d '{{\"dealId\":\"{deal}\"}}'\n\n",
        page.heading("Try next, in another terminal")
    )
}

/// Where the demo keeps its deals; a temporary place is gone once this is dropped.
enum Place {
    Named(PathBuf),
    Temporary(TempDir),
}

impl Place {
    fn new(named: Option<&Path>) -> Result<Place, Failure> {
        let Some(path) = named else {
            let dir = tempfile::Builder::new().prefix("verbatim-demo-").tempdir();
            return dir.map(Place::Temporary).map_err(|error| {
                Failure::new(Exit::Internal, format!("no temporary directory: {error}"))
            });
        };
        match fs::read_dir(path) {
            Ok(mut entries) => match entries.next() {
                // A demo must never be mixed into deals that somebody means.
                Some(_) => Err(Failure::new(
                    Exit::Usage,
                    format!("--data {}: must be empty or absent", path.display()),
                )),
                None => Ok(Place::Named(path.to_owned())),
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Ok(Place::Named(path.to_owned()))
            }
            Err(error) => Err(Failure::new(
                Exit::Usage,
                format!("--data {}: {error}", path.display()),
            )),
        }
    }

    fn path(&self) -> &Path {
        match self {
            Place::Named(path) => path,
            Place::Temporary(dir) => dir.path(),
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    #[test]
    fn the_story_can_be_played_on_any_day() {
        let story = Story {
            name: "examples/pipeline.ndjson".to_owned(),
            text: STORY.to_owned(),
        };
        let now: Timestamp = "2032-02-29T12:00:00Z".parse().unwrap();
        let checked = story.check(Some(now));
        assert!(checked.faults.is_empty(), "{:#?}", checked.faults);
        assert!(0 < checked.lines);
    }

    #[test]
    fn a_named_place_must_be_empty_or_absent() {
        let dir = tempfile::tempdir().unwrap();
        assert!(Place::new(Some(dir.path())).is_ok());
        assert!(Place::new(Some(&dir.path().join("absent"))).is_ok());
        fs::write(dir.path().join("file"), "x").unwrap();
        assert_eq!(Place::new(Some(dir.path())).err().unwrap().exit, 64);
        assert_eq!(
            Place::new(Some(&dir.path().join("file")))
                .err()
                .unwrap()
                .exit,
            64
        );
    }
}
