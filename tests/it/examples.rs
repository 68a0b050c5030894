//! The examples in Python, by plain HTTP, as their users run them. By gRPC they need packages: `tests/examples/run`.
//!
//! `cargo test` must not need Python: on a machine without Python 3.10 or newer this says so and has shown nothing;
//! `.ci/run` has it and runs all.

use std::process::Command;

const PYTHON: &str = "python3";

#[test]
fn the_examples_in_python_do_over_plain_http_what_they_say() {
    let new_enough = "import sys; sys.exit(sys.version_info < (3, 10))";
    let found = Command::new(PYTHON).args(["-c", new_enough]).output();
    if !found.is_ok_and(|found| found.status.success()) {
        eprintln!(
            "there is no {PYTHON} of at least 3.10 here: the examples in Python were not run"
        );
        return;
    }
    let mut command = Command::new(PYTHON);
    // The settings of whoever runs the tests are not those of the services that the examples start.
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("VERBATIM_")) {
        command.env_remove(name);
    }
    let ran = command
        .args(["-m", "unittest", "discover", "--start-directory"])
        .arg("tests/examples")
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env("BINARY_UNDER_TEST", env!("CARGO_BIN_EXE_verbatim"))
        .env("WITHOUT_GRPC", "")
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "{told}");
}
