//! The calls to S3 (Amazon S3 API Reference: GetBucketLocation, PutObject, HeadObject).

use aws::{GoValue, Region, Session};
use aws_sdk_s3::{
    Client,
    config::{Builder, Region as SdkRegion},
    error::{ProvideErrorMetadata, SdkError},
    operation::put_object::{PutObjectError, PutObjectOutput},
};
use bytes::Bytes;
use common::{Error, config::Parse};

use crate::{config::S3Config, convert::Object};

/// The metadata that says which event an object is: S3 puts `x-amz-meta-` before it.
const ID: &str = "ce-id";
const STORING: &str = "storing the object";

/// A client for a region, with the bucket in the path or before the host's name.
fn client(session: &Session, region: &str, in_path: bool) -> Client {
    let settings = Builder::from(session.sdk()).region(SdkRegion::new(region.to_owned()));
    Client::from_conf(settings.force_path_style(in_path).build())
}

/// A client for the region that the bucket is in, which is asked for in a region that is always there.
///
/// # Errors
/// When the bucket is not there or cannot be asked for.
pub async fn locate(config: &S3Config, session: &Session) -> Result<Client, Error> {
    let anywhere = if config.endpoint().is_some() { config.first_region() } else { config.arn.home_region() };
    // A host's name with the bucket in it may lead to another region than that of the signature.
    let asked = client(session, anywhere, true).get_bucket_location().bucket(config.bucket()).send().await;
    let region = match asked {
        Ok(location) => match location.location_constraint().map(|place| place.as_str()) {
            // The first regions of all have names of their own.
            None | Some("") => "us-east-1".to_owned(),
            Some("EU") => "eu-west-1".to_owned(),
            Some(region) => region.to_owned(),
        },
        Err(failure) if failure.code() == Some("AccessDenied") && config.aws.aws_region.is_some() => {
            config.first_region().to_owned()
        }
        Err(failure) => {
            return Err(session.error("asking for the region of the bucket that ARN names", failure));
        }
    };
    // It becomes part of a host's name.
    let region = Region::parse(&region)
        .map_err(|_| Error::retryable("S3 named a region for the bucket that can be none"))?;
    Ok(client(session, &region.0, config.endpoint().is_some()))
}

/// What became of an object.
pub enum Put {
    /// It is there; this is what S3 said, for the reply.
    Stored(Bytes),
    /// There is one of that name.
    Taken,
    /// The server knows no conditions.
    Unconditional,
}

/// Stores an object; with `new` only where there is none of that name.
pub async fn put(
    client: &Client,
    bucket: &str,
    key: &str,
    object: &Object,
    new: bool,
) -> Result<Put, SdkError<PutObjectError>> {
    let call = client.put_object().bucket(bucket).key(key).body(object.stream());
    let call = call.set_content_type(object.content_type.clone());
    let call = match &object.id {
        Some(id) => call.metadata(ID, id),
        None => call,
    };
    let result = call.set_if_none_match(new.then(|| "*".to_owned())).send().await;
    match result {
        Ok(output) => Ok(Put::Stored(told(&output))),
        Err(failure) if new => match failure.raw_response().map(|answer| answer.status().as_u16()) {
            Some(412) => Ok(Put::Taken),
            Some(501) => Ok(Put::Unconditional),
            _ => Err(failure),
        },
        Err(failure) => Err(failure),
    }
}

/// Reads why an object could not be stored.
pub fn failure(session: &Session, failure: SdkError<PutObjectError>) -> Error {
    session.error(STORING, failure)
}

/// Whether the object of that name is this event: then it was stored by an earlier attempt whose answer was lost. Its tag is
/// given, for the reply.
///
/// # Errors
/// When S3 cannot say. That these credentials may not know is no error, and no "yes".
pub async fn is_same(
    client: &Client,
    session: &Session,
    bucket: &str,
    key: &str,
    object: &Object,
) -> Result<Option<Bytes>, Error> {
    let Some(id) = &object.id else { return Ok(None) };
    match client.head_object().bucket(bucket).key(key).send().await {
        Ok(found) if found.metadata().and_then(|all| all.get(ID)) == Some(id) => {
            let fields = [("ETag", found.e_tag().map(GoValue::Text))];
            Ok(Some(aws::go_struct(&fields)))
        }
        Ok(_) => Ok(None),
        Err(failure) => match failure.raw_response().map(|answer| answer.status().as_u16()) {
            Some(403 | 404) => Ok(None),
            _ => Err(session.error("looking at the object of the same name", failure)),
        },
    }
}

/// The fields that the original's SDK knew.
fn told(output: &PutObjectOutput) -> Bytes {
    aws::go_struct(&[
        ("BucketKeyEnabled", output.bucket_key_enabled().map(GoValue::Flag)),
        ("ETag", output.e_tag().map(GoValue::Text)),
        ("Expiration", output.expiration().map(GoValue::Text)),
        ("RequestCharged", output.request_charged().map(|charged| GoValue::Text(charged.as_str()))),
        ("SSEKMSEncryptionContext", output.ssekms_encryption_context().map(|_| GoValue::Sensitive)),
        ("SSEKMSKeyId", output.ssekms_key_id().map(|_| GoValue::Sensitive)),
        ("ServerSideEncryption", output.server_side_encryption().map(|kind| GoValue::Text(kind.as_str()))),
        ("VersionId", output.version_id().map(GoValue::Text)),
    ])
}
