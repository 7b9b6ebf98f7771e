//! Clients of buckets. One is kept for each bucket and its options, because it holds the connections.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use object_store::aws::AmazonS3Builder;
use object_store::gcp::GoogleCloudStorageBuilder;
use object_store::multipart::MultipartStore;
use object_store::{BackoffConfig, ClientOptions, ObjectStore, RetryConfig};

use super::Options;
use super::location::{Location, Scheme};
use crate::error::{EngineError, Result};

/// A job reads from a few buckets; a service runs a few jobs.
const KEPT_CLIENTS: usize = 32;

/// Of one request, its body included: a range of some megabytes.
const REQUEST_LIMIT: Duration = Duration::from_secs(120);

/// Within it a server that lives answers.
const CONNECT_LIMIT: Duration = Duration::from_secs(10);

/// Together some ten seconds; a task is tried again after that.
const RETRIES: usize = 7;
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
const RETRY_LIMIT: Duration = Duration::from_secs(150);

const DEFAULT_REGION: &str = "us-east-1";

/// A bucket, as its two interfaces.
#[derive(Clone)]
pub(super) struct Bucket {
    pub(super) objects: Arc<dyn ObjectStore>,
    pub(super) uploads: Arc<dyn MultipartStore>,
}

struct Kept {
    scheme: Scheme,
    bucket: String,
    options: Options,
    client: Bucket,
}

static KEPT: Mutex<VecDeque<Kept>> = Mutex::new(VecDeque::new());

/// The client of a location's bucket.
///
/// # Errors
/// InvalidJob INVALID_STORAGE for options that make no sense.
pub(super) fn bucket(options: &Options, location: &Location) -> Result<Bucket> {
    let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    let same = |kept: &&Kept| {
        kept.scheme == location.scheme && kept.bucket == location.bucket && kept.options == *options
    };
    if let Some(found) = kept.iter().find(same) {
        return Ok(found.client.clone());
    }
    let client = match location.scheme {
        Scheme::S3 => s3(options, &location.bucket)?,
        Scheme::Gcs => gcs(options, &location.bucket)?,
    };
    kept.push_front(Kept {
        scheme: location.scheme,
        bucket: location.bucket.clone(),
        options: options.clone(),
        client: client.clone(),
    });
    kept.truncate(KEPT_CLIENTS);
    Ok(client)
}

fn s3(options: &Options, bucket: &str) -> Result<Bucket> {
    let mut builder = AmazonS3Builder::new()
        .with_bucket_name(bucket)
        .with_region(options.region.as_deref().unwrap_or(DEFAULT_REGION))
        .with_virtual_hosted_style_request(options.path_style == Some(false))
        .with_client_options(connections(options)?)
        .with_retry(retries());
    if let Some(endpoint) = &options.endpoint {
        builder = builder.with_endpoint(endpoint.trim_end_matches('/'));
    }
    builder = match (&options.access_key_id, &options.secret_access_key) {
        (Some(id), Some(secret)) => builder
            .with_access_key_id(id)
            .with_secret_access_key(secret),
        // Without keys the client would ask the machine that it runs on for its own.
        (None, None) => builder.with_skip_signature(true),
        _ => return Err(invalid("an access key and its secret go together")),
    };
    if let Some(token) = &options.session_token {
        builder = builder.with_token(token);
    }
    let client = Arc::new(builder.build().map_err(|_| invalid("it is not complete"))?);
    Ok(Bucket {
        objects: Arc::clone(&client) as Arc<dyn ObjectStore>,
        uploads: client,
    })
}

fn gcs(options: &Options, bucket: &str) -> Result<Bucket> {
    let mut builder = GoogleCloudStorageBuilder::new()
        .with_bucket_name(bucket)
        .with_client_options(connections(options)?)
        .with_retry(retries());
    if let Some(endpoint) = &options.endpoint {
        builder = builder.with_base_url(endpoint.trim_end_matches('/'));
    }
    builder = match &options.service_account {
        Some(key) => builder.with_service_account_key(key),
        None => builder.with_skip_signature(true),
    };
    let client = builder
        .build()
        .map_err(|_| invalid("the key of the service account can't be read"))?;
    let client = Arc::new(client);
    Ok(Bucket {
        objects: Arc::clone(&client) as Arc<dyn ObjectStore>,
        uploads: client,
    })
}

fn connections(options: &Options) -> Result<ClientOptions> {
    let endpoint = options.endpoint.as_deref().unwrap_or("https://");
    let plain = endpoint.starts_with("http://");
    if !plain && !endpoint.starts_with("https://") {
        return Err(invalid("its endpoint is no http:// or https:// URL"));
    }
    let allowed = options.allow_http.unwrap_or(plain);
    if plain && !allowed {
        return Err(invalid(
            "its endpoint is not encrypted, and that is not allowed",
        ));
    }
    Ok(ClientOptions::new()
        .with_allow_http(allowed)
        .with_timeout(REQUEST_LIMIT)
        .with_connect_timeout(CONNECT_LIMIT))
}

fn retries() -> RetryConfig {
    RetryConfig {
        backoff: BackoffConfig {
            init_backoff: FIRST_PAUSE,
            max_backoff: LONGEST_PAUSE,
            base: 2.0,
        },
        max_retries: RETRIES,
        retry_timeout: RETRY_LIMIT,
    }
}

fn invalid(why: &str) -> EngineError {
    EngineError::invalid_job(
        "INVALID_STORAGE",
        format!("Object storage can't be reached as it is configured: {why}."),
    )
    .hint("Check the endpoint, the region and the access key.")
}
