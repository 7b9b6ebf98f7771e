//! What a client says as an error of ours: which object, and what to do. The client's own words are looked at for the
//! code of the service and not handed on, because they hold addresses.

use object_store::Error;

use super::location::Location;
use crate::error::EngineError;

/// The error of a request for `location`.
pub(super) fn translated(location: &Location, error: &Error) -> EngineError {
    let said = words(error);
    let says = |code: &str| said.contains(code);
    if says("NoSuchBucket") {
        return EngineError::source_error(
            "SOURCE_NOT_FOUND",
            format!("There is no bucket {}.", location.bucket),
        )
        .hint("Check its name, and that the endpoint is the service that has it.");
    }
    if says("SignatureDoesNotMatch") || says("InvalidAccessKeyId") || says("InvalidToken") {
        return EngineError::source_error(
            "ACCESS_DENIED",
            format!("The storage of {location} does not accept the access key."),
        )
        .hint("Check the access key, its secret and the session token.");
    }
    if says("ExpiredToken") {
        return EngineError::source_error(
            "ACCESS_DENIED",
            format!("The access key for {location} has expired."),
        )
        .hint("Get a new one, and run the job again.");
    }
    if says("incorrectly configured region") || says("AuthorizationHeaderMalformed") {
        return EngineError::source_error(
            "WRONG_REGION",
            format!("The bucket of {location} is in another region."),
        )
        .hint("Set the region of the bucket.");
    }
    match error {
        Error::NotFound { .. } => EngineError::source_error(
            "SOURCE_NOT_FOUND",
            format!("There is no object {location}."),
        )
        .hint("Check the bucket and the key."),
        Error::PermissionDenied { .. } | Error::Unauthenticated { .. } => {
            EngineError::source_error(
                "ACCESS_DENIED",
                format!("{location} may not be read or written."),
            )
            .hint("Give the access key permission for the bucket, or use another one.")
        }
        Error::Precondition { .. } => changed(location),
        Error::InvalidPath { .. } => EngineError::source_error(
            "INVALID_LOCATION",
            format!("Near {location} there are objects whose keys can't be read."),
        )
        .hint("Keys with '//', '.' or '..' between slashes are not read; name objects one by one."),
        _ => EngineError::transient(
            "STORAGE_FAILED",
            format!(
                "The storage of {location} did not answer as it should{}.",
                why(&said)
            ),
        )
        .hint("Check that the endpoint is reachable; another try may succeed."),
    }
}

/// The object is not the one that the job was made for.
pub(super) fn changed(location: &Location) -> EngineError {
    EngineError::source_error(
        "SOURCE_CHANGED",
        format!("The object {location} has changed since the job was made."),
    )
    .hint("Make the job again with the object as it is.")
}

/// Everything that an error and its causes say.
fn words(error: &Error) -> String {
    let mut said = error.to_string();
    let mut next = std::error::Error::source(error);
    while let Some(cause) = next {
        said.push('\n');
        said.push_str(&cause.to_string());
        next = cause.source();
    }
    said
}

fn why(said: &str) -> &'static str {
    let says = |what: &str| said.contains(what);
    if says("Connection refused") || says("tcp connect error") {
        ": no connection"
    } else if says("dns error") || says("failed to lookup address") {
        ": its name is not known"
    } else if says("certificate") {
        ": its certificate is not trusted"
    } else if says("timed out") {
        ": it took too long"
    } else if says("503") || says("SlowDown") {
        ": it is busy"
    } else {
        ""
    }
}
