//! Where a database is and how it is reached: the URL that `--store` takes, read once.
//!
//! The password is in it, so it is never shown: what is shown is [`Address::shown`].
//!
//! `sslmode` means what it means to PostgreSQL's own clients: `disable`, `prefer` (the default) and `require` do not look
//! who answers; `verify-full` does, by the certificates of `sslrootcert` or of the system.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use tokio_postgres::Config;
use tokio_postgres::config::SslMode;
use tokio_postgres::config::TargetSessionAttrs;

use crate::config::DatabaseUrl;

/// How long a connection may take to be made, unless the URL says `connect_timeout`.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// Silence on a connection after which the system asks whether the other side is there.
const KEEPALIVES_IDLE: Duration = Duration::from_secs(30);

/// A database, and what is needed to connect to it.
#[derive(Clone)]
pub struct Address {
    config: Config,
    verify: Verify,
    shown: String,
}

/// Whether the server must prove who it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verify {
    No,
    /// By the certificates of the system, or of this file.
    Full(Option<PathBuf>),
}

impl Address {
    /// Reads a URL such as `postgres://user:password@host:5432/database?sslmode=verify-full`.
    ///
    /// # Errors
    ///
    /// What is wrong with it, in words that do not tell the password.
    pub fn read(url: &DatabaseUrl) -> Result<Address, String> {
        let shown = url.to_string();
        let url = url.reveal();
        let (base, query) = url.split_once('?').unwrap_or((url, ""));
        let mut verify = Verify::No;
        let mut root = None;
        let mut rest = Vec::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            match pair.split_once('=') {
                Some(("sslmode", "verify-full")) => {
                    verify = Verify::Full(None);
                    rest.push("sslmode=require");
                }
                Some(("sslmode", "verify-ca")) => {
                    return Err(format!(
                        "{shown}: sslmode=verify-ca is not spoken here; verify-full is"
                    ));
                }
                Some(("sslrootcert", path)) => root = Some(PathBuf::from(decoded(path))),
                _ => rest.push(pair),
            }
        }
        match (&mut verify, root) {
            (Verify::Full(file), root) => *file = root,
            (Verify::No, Some(_)) => {
                return Err(format!(
                    "{shown}: sslrootcert is for sslmode=verify-full only"
                ));
            }
            (Verify::No, None) => {}
        }

        let mut config = Config::from_str(&format!("{base}?{}", rest.join("&")))
            .map_err(|error| format!("{shown}: {}", told(&error)))?;
        if config.get_hosts().is_empty() {
            return Err(format!("{shown}: it names no host"));
        }
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(CONNECT_TIMEOUT);
        }
        if config.get_application_name().is_none() {
            config.application_name("verbatim");
        }
        // With several hosts this finds the one that takes writes, also after a fail-over.
        config.target_session_attrs(TargetSessionAttrs::ReadWrite);
        config.keepalives_idle(KEEPALIVES_IDLE);
        Ok(Address {
            config,
            verify,
            shown,
        })
    }

    /// The URL without its password, and without what follows the name of the database.
    pub fn shown(&self) -> &str {
        &self.shown
    }

    pub fn verify(&self) -> &Verify {
        &self.verify
    }

    pub fn wants_tls(&self) -> bool {
        self.config.get_ssl_mode() != SslMode::Disable
    }

    /// What to connect with.
    pub fn config(&self) -> Config {
        self.config.clone()
    }
}

/// The driver's own words with its cause, which it leaves out.
pub fn told(error: &tokio_postgres::Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(why) = cause {
        let why_text = why.to_string();
        if !text.contains(&why_text) {
            text = format!("{text}: {why_text}");
        }
        cause = why.source();
    }
    text
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        let hex = behind.first_chunk::<2>().filter(|_| *first == b'%');
        let byte = hex
            .and_then(|hex| std::str::from_utf8(hex).ok())
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        bytes.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { &behind[2..] } else { behind };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(url: &str) -> Result<Address, String> {
        Address::read(&DatabaseUrl::read(url).unwrap())
    }

    #[test]
    fn what_is_wrong_with_a_url_is_told_without_its_password() {
        for (url, expected) in [
            ("postgres://u:secret@h/d?sslmode=verify-ca", "verify-full"),
            ("postgres://u:secret@h/d?sslrootcert=x", "sslrootcert"),
            ("postgres://u:secret@h/d?sslmode=maybe", "sslmode"),
            ("postgres://u:secret@h/d?nonsense=1", "nonsense"),
            ("postgres:///d", "no host"),
        ] {
            let problem = read(url).err().unwrap();
            assert!(problem.contains(expected), "{url}: {problem}");
            assert!(!problem.contains("secret"), "{problem}");
        }
    }

    #[test]
    fn who_answers_is_verified_when_asked_for() {
        let check = |query: &str, expected: Verify| {
            let address = read(&format!("postgres://u@h/d{query}")).unwrap();
            assert_eq!(*address.verify(), expected, "{query}");
        };
        check("", Verify::No);
        check("?sslmode=require", Verify::No);
        check("?sslmode=verify-full", Verify::Full(None));
        let file = Some(PathBuf::from("/etc/a b.pem"));
        check(
            "?sslmode=verify-full&sslrootcert=/etc/a%20b.pem",
            Verify::Full(file),
        );
    }
}
