//! A directory of backups, each named by its moment, of which the oldest go when there are too many.
//!
//! Names sort as their moments do. What is not named so is left alone.

use std::fs;
use std::io;
use std::path::Path;
use std::path::PathBuf;

use jiff::Timestamp;

const START: &str = "verbatim-";
const END: &str = ".backup";

/// `20261122T031700Z`.
const MOMENT: &str = "%Y%m%dT%H%M%SZ";

/// The file of the backup that begins at `now`.
pub fn file(directory: &Path, now: Timestamp) -> PathBuf {
    directory.join(format!("{START}{}{END}", now.strftime(MOMENT)))
}

/// Removes all backups of a directory but the newest `keep`; answers how many went.
///
/// # Errors
///
/// What the directory does not allow; some may have gone.
pub fn prune(directory: &Path, keep: usize) -> io::Result<usize> {
    let mut backups = Vec::new();
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        if entry.file_name().to_str().is_some_and(is_ours) {
            backups.push(entry.path());
        }
    }
    backups.sort();
    let surplus = backups.len().saturating_sub(keep);
    for old in &backups[..surplus] {
        fs::remove_file(old)?;
    }
    Ok(surplus)
}

fn is_ours(name: &str) -> bool {
    let middle = name
        .strip_prefix(START)
        .and_then(|rest| rest.strip_suffix(END));
    middle.is_some_and(|middle| {
        middle.len() == 16
            && middle.char_indices().all(|(at, char)| match at {
                8 => char == 'T',
                15 => char == 'Z',
                _ => char.is_ascii_digit(),
            })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_go_and_what_is_not_a_backup_stays() {
        let home = tempfile::tempdir().unwrap();
        let mut made = Vec::new();
        for second in 0..4 {
            let now = Timestamp::new(1_795_918_620 + 86_400 * second, 500_000_000).unwrap();
            made.push(file(home.path(), now));
        }
        assert!(made[0].ends_with("verbatim-20261129T021700Z.backup"));
        let others = [
            "verbatim-monday.backup",
            "verbatim-20261129T021700Z",
            "notes",
        ];
        let others: Vec<PathBuf> = others.iter().map(|name| home.path().join(name)).collect();
        for path in made.iter().chain(&others) {
            fs::write(path, "").unwrap();
        }
        assert_eq!(prune(home.path(), 4).unwrap(), 0);
        assert_eq!(prune(home.path(), 2).unwrap(), 2);
        let there: Vec<bool> = made.iter().map(|path| path.exists()).collect();
        assert_eq!(there, [false, false, true, true]);
        assert!(others.iter().all(|path| path.exists()));
    }
}
