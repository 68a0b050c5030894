//! Each setting: what it means, what it may be, its default.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::thread;

use crate::config::TERMINATION_LOG;
use crate::config::form::DatabaseUrl;
use crate::config::reader::Reader;

/// The most that a setting in MiB may be: a TiB.
const MIB_MAX: usize = 1 << 20;

/// The most that a setting in milliseconds may be: ten minutes.
const MS_MAX: u64 = 600_000;

const FORMATS: [(&str, LogFormat); 2] =
    [("console", LogFormat::Console), ("json", LogFormat::Json)];

/// Every setting of the service.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// The directory of the embedded store. Default: `./verbatim-data`.
    pub data: PathBuf,
    /// Where to listen. Port 0 takes a free one. Default: `127.0.0.1:7450`.
    pub listen: SocketAddr,
    /// Where probes, scrapers and operators ask, in plain HTTP. Port 0 takes a free one. Default: nowhere.
    pub ops_listen: Option<SocketAddr>,
    /// Where deals are kept. Default: embedded.
    pub store: StoreKind,
    /// Connections for reads from a database; its writer has one more. Range: 1 to 10,000. Default: 8.
    pub database_connections_max: usize,
    /// How long a database may take for one statement. Unit: ms. Range: 100 to 600,000. Default: 5,000.
    pub database_timeout_ms: u64,
    /// A model file in place of the default model. Default: none.
    pub model: Option<PathBuf>,
    /// A reader of quotes of your own: a gRPC service `verbatim.v1.ClaimExtractor`. Default: none.
    pub extractor: Option<String>,
    /// How long that reader is waited for, each time: less than a call may take, and better less than callers wait.
    /// Unit: ms. Range: 1 to 600,000. Default: 500.
    pub extractor_deadline_ms: u64,
    /// Memory for folded deals. Unit: MiB. Range: 1 to 1,048,576. Default: 64.
    pub deal_cache_mib: usize,
    /// Memory for the outlines of all deals, about 700 bytes each, once the pipeline was looked at; where they do not
    /// fit, each look reads the store. Unit: MiB. Range: 1 to 1,048,576. Default: 128.
    pub pipeline_cache_mib: usize,
    /// How often the open pipeline is looked at for its metrics, which show what deals are worth to whoever may scrape.
    /// Unit: seconds. Range: 0, never, to 86,400. Default: 0.
    pub pipeline_metrics_s: u64,
    /// Memory that sled is told to keep to; it takes two to three times as much. Unit: MiB. Range: 8 to 1,048,576.
    /// Default: 64.
    pub store_cache_mib: usize,
    /// The largest message taken, decompressed. Unit: bytes. Range: 16 KiB to 64 MiB. Default: 1 MiB.
    pub message_bytes_max: usize,
    /// Concurrent HTTP/2 streams of one connection. Range: 1 to 65,535. Default: 128.
    pub streams_max: u32,
    /// Calls in flight in the whole process; more are refused at once. Range: 1 to 1,000,000. Default: 1,024.
    pub calls_max: usize,
    /// Streaming calls open in the whole process; more are refused at once. Range: 1 to 1,000,000. Default: 4,096.
    pub streaming_calls_max: usize,
    /// The most that a call may take that does not stream, whatever the caller allows. Unit: ms. Range: 10 to 600,000. Default: 10,000.
    pub deadline_ms: u64,
    /// Appends that may wait for the writer; more are refused at once. Range: 1 to 1,000,000. Default: 4,096.
    pub write_queue_max: usize,
    /// Appends made durable together by one sync. Range: 1 to 4,096. Default: 512.
    pub write_group_max: usize,
    /// Writes are refused while the disk has less than this free. Unit: MiB. Range: 0 to 1,048,576. Default: 64.
    pub free_mib_min: u64,
    /// How long to go on serving once readiness says no, so that balancers notice. Unit: ms. Range: 0 to 600,000.
    /// Default: 0.
    pub drain_ms: u64,
    /// How long calls in flight may take to end at shutdown. Unit: ms. Range: 0 to 600,000. Default: 10,000.
    pub drain_timeout_ms: u64,
    /// Origins of which browsers may call; `*` allows all. Default: none.
    pub cors_origins: Vec<String>,
    /// A level, or levels by module such as `info,sled=warn`. Default: `info`.
    pub log_level: String,
    /// How log lines look. Default: console.
    pub log_format: LogFormat,
    /// A file that gets one line why, should the process end by a fault: Kubernetes' `terminationMessagePath`.
    /// Default: none.
    pub termination_log: Option<PathBuf>,
    /// Worker threads. Range: 1 to 1,024. Default: one for each core.
    pub workers: usize,
}

/// Where deals are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreKind {
    /// On disk, in this process.
    Embedded,
    /// Nowhere: gone when the process ends.
    Memory,
    /// In a database that any number of processes share.
    Postgres(DatabaseUrl),
}

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Console,
    /// An object a line, for programs.
    Json,
}

impl Settings {
    /// The one place that knows each setting.
    #[expect(
        clippy::too_many_lines,
        reason = "a setting is a few lines, and there are many"
    )]
    pub(in crate::config) fn read(from: &mut Reader) -> Settings {
        Settings {
            data: from.path("data", "./verbatim-data", "Directory of the embedded store"),
            listen: from.address(
                "listen",
                "127.0.0.1:7450",
                "Where to listen; port 0: a free one",
            ),
            ops_listen: from.address_or_none(
                "ops-listen",
                "Where to answer probes, scrapers and operators; it is not for callers",
            ),
            store: from.store(
                "store",
                "Where deals are kept; memory ends with the process, a database serves any number of them",
            ),
            database_connections_max: from.number(
                "database-connections-max",
                8,
                1..=10_000,
                "Connections for reads from a database, beside one for writes",
            ),
            database_timeout_ms: from.number(
                "database-timeout-ms",
                5_000,
                100..=MS_MAX,
                "Milliseconds that a database may take for one statement",
            ),
            model: from.path_or_none("model", "A model file in place of the default model"),
            extractor: from.url_or_none(
                "extractor",
                "A reader of quotes of your own: a gRPC service verbatim.v1.ClaimExtractor",
            ),
            extractor_deadline_ms: from.number(
                "extractor-deadline-ms",
                500,
                1..=MS_MAX,
                "Milliseconds that the extractor is waited for",
            ),
            deal_cache_mib: from.number("deal-cache-mib", 64, 1..=MIB_MAX, "MiB for folded deals"),
            pipeline_cache_mib: from.number(
                "pipeline-cache-mib",
                128,
                1..=MIB_MAX,
                "MiB for the outlines of all deals",
            ),
            pipeline_metrics_s: from.number(
                "pipeline-metrics-s",
                0,
                0..=86_400,
                "Seconds between two looks at the open pipeline for its metrics; 0: none",
            ),
            store_cache_mib: from.number(
                "store-cache-mib",
                64,
                8..=MIB_MAX,
                "MiB for the embedded store, which takes two to three times as much",
            ),
            message_bytes_max: from.number(
                "message-bytes-max",
                1 << 20,
                16 << 10..=64 << 20,
                "Bytes of the largest message taken",
            ),
            streams_max: from.number("streams-max", 128, 1..=65_535, "Streams of a connection"),
            calls_max: from.number("calls-max", 1_024, 1..=1_000_000, "Calls in flight"),
            streaming_calls_max: from.number(
                "streaming-calls-max",
                4_096,
                1..=1_000_000,
                "Streaming calls open",
            ),
            deadline_ms: from.number("deadline-ms", 10_000, 10..=MS_MAX, "Milliseconds of a call"),
            write_queue_max: from.number("write-queue-max", 4_096, 1..=1_000_000, "Writes waiting"),
            write_group_max: from.number("write-group-max", 512, 1..=4_096, "Writes of one sync"),
            free_mib_min: from.number(
                "free-mib-min",
                64,
                0..=MIB_MAX as u64,
                "MiB of free disk below which writes are refused",
            ),
            drain_ms: from.number(
                "drain-ms",
                0,
                0..=MS_MAX,
                "Milliseconds to go on serving at shutdown once readiness says no",
            ),
            drain_timeout_ms: from.number(
                "drain-timeout-ms",
                10_000,
                0..=MS_MAX,
                "Milliseconds that calls in flight may take to end at shutdown",
            ),
            cors_origins: from.origins("cors-origins", "Origins whose pages may call; by commas"),
            log_level: from.log_level("log-level", "info", "What to log: a level, or by module"),
            log_format: from.word("log-format", &FORMATS, "How log lines look"),
            termination_log: from.path_or_none(
                TERMINATION_LOG,
                "A file that gets one line why, should the process end by a fault",
            ),
            workers: from.number("workers", cores(), 1..=1_024, "Threads; as many as cores"),
        }
    }
}

/// One core is assumed where the system does not tell, since that always works.
fn cores() -> usize {
    thread::available_parallelism()
        .map_or(1, usize::from)
        .min(1_024)
}
