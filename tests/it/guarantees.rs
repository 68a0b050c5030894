//! GUARANTEES.md names tests: each of them is there.

use std::fs;
use std::path::Path;

use crate::support::files;

#[test]
fn every_test_that_a_guarantee_names_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let sources = files(&root.join("tests"));
    let sources = sources
        .iter()
        .filter(|path| path.extension() == Some("rs".as_ref()));
    let sources: String = sources
        .map(|path| fs::read_to_string(path).unwrap())
        .collect();
    let text = fs::read_to_string(root.join("GUARANTEES.md")).unwrap();
    let quoted = text.split('`').skip(1).step_by(2);
    let named: Vec<&str> = quoted
        .filter(|name| name.contains('_') && !name.contains('/'))
        .collect();
    assert!(30 < named.len(), "{named:?}");
    for name in named {
        assert!(sources.contains(&format!("fn {name}(")), "{name}");
    }
}
