//! Compiles `proto/` with protox, so that no protoc is needed, and keeps the descriptor for reflection and JSON; and
//! notes the compiler for `verbatim_build_info`.

use std::env;
use std::error::Error;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

const PROTOS: [&str; 12] = [
    "verbatim/v1/types.proto",
    "verbatim/v1/score.proto",
    "verbatim/v1/extraction.proto",
    "verbatim/v1/service.proto",
    "verbatim/v1/forecast.proto",
    "verbatim/v1/past.proto",
    "verbatim/v1/pipeline.proto",
    "verbatim/v1/conversation.proto",
    "verbatim/v1/ingest.proto",
    "verbatim/v1/watch.proto",
    "verbatim/v1/writes.proto",
    "verbatim/v1/operator.proto",
];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=proto");
    println!("cargo:rustc-env=RUSTC_VERSION={}", rustc_version()?);
    let out_dir = PathBuf::from(env::var("OUT_DIR")?);

    let mut compiler = protox::Compiler::new(["proto"])?;
    compiler.include_imports(true).include_source_info(true);
    compiler.open_files(PROTOS)?;
    fs::write(
        out_dir.join("verbatim.bin"),
        compiler.encode_file_descriptor_set(),
    )?;

    tonic_prost_build::configure()
        .codec_path("crate::wire::codec::Codec")
        .compile_fds(compiler.file_descriptor_set())?;
    Ok(())
}

/// The second word of `rustc 1.89.0 (…)`.
fn rustc_version() -> Result<String, Box<dyn Error>> {
    let output = Command::new(env::var("RUSTC")?).arg("--version").output()?;
    let text = String::from_utf8(output.stdout)?;
    let version = text.split(' ').nth(1).ok_or("rustc tells no version")?;
    Ok(version.to_owned())
}
