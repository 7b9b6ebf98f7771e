//! Where an object is: scheme, bucket and key of a URI, written as other tools write them, nothing escaped.

use std::fmt;

use object_store::path::Path;

use crate::error::{EngineError, Result};

/// Whether a path is a URI, not a local file.
pub fn is_uri(path: &str) -> bool {
    path.contains("://")
}

/// What a bucket speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Scheme {
    S3,
    Gcs,
}

/// An object, or the beginning of the names of several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Location {
    pub(crate) scheme: Scheme,
    pub(crate) bucket: String,
    pub(crate) key: Path,
}

impl Location {
    /// From a URI.
    ///
    /// # Errors
    /// SourceError INVALID_LOCATION.
    pub(crate) fn parse(uri: &str) -> Result<Self> {
        let (scheme, rest) = uri.split_once("://").unwrap_or((uri, ""));
        let scheme = match scheme {
            "s3" => Scheme::S3,
            "gs" => Scheme::Gcs,
            _ => return Err(invalid(uri, "only s3:// and gs:// can be read")),
        };
        let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
        if bucket.is_empty() {
            return Err(invalid(uri, "it names no bucket"));
        }
        // A slash before the key would be taken away, which makes it another key.
        let key = match Path::parse(key) {
            Ok(parsed) if !key.starts_with('/') => parsed,
            _ => {
                let why = "a part of its key is empty, '.', '..' or unprintable";
                return Err(invalid(uri, why));
            }
        };
        Ok(Self {
            scheme,
            bucket: bucket.to_owned(),
            key,
        })
    }

    /// Another object of the same bucket.
    pub(crate) fn with_key(&self, key: Path) -> Self {
        Self {
            key,
            ..self.clone()
        }
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match self.scheme {
            Scheme::S3 => "s3",
            Scheme::Gcs => "gs",
        };
        write!(f, "{scheme}://{}/{}", self.bucket, self.key)
    }
}

fn invalid(uri: &str, why: &str) -> EngineError {
    EngineError::source_error(
        "INVALID_LOCATION",
        format!("{uri} is no object that can be read: {why}."),
    )
    .hint("Write s3://bucket/key or gs://bucket/key.")
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn a_uri_is_a_bucket_and_a_key_as_they_are_written() {
        let found = Location::parse("s3://data/2024/a b%20ü.csv").unwrap();
        assert_eq!(
            (found.bucket.as_str(), found.key.as_ref()),
            ("data", "2024/a b%20ü.csv")
        );
        assert_eq!(found.to_string(), "s3://data/2024/a b%20ü.csv");
        assert_eq!(Location::parse("gs://data").unwrap().key.as_ref(), "");
    }

    #[test]
    fn what_is_no_object_is_refused() {
        for uri in [
            "http://host/file",
            "s3://",
            "s3:///key",
            "s3://b/../c",
            "s3://b//c",
        ] {
            let error = Location::parse(uri).unwrap_err();
            assert_eq!(error.to_fault().code, "INVALID_LOCATION", "{uri}");
        }
    }
}
