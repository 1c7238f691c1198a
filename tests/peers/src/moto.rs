//! moto, which plays most of AWS: SQS, S3, STS and others. It looks at no signature, and knows one account.

use std::process::Command;

use kit::{Failure, http::Request};

use crate::install;
use crate::server::Server;

/// A server that knows nothing yet.
pub struct Moto(pub(crate) Server);

impl Moto {
    /// The account that everything belongs to.
    pub const ACCOUNT: &str = "123456789012";

    /// Starts one.
    ///
    /// # Errors
    /// When it cannot be installed or started.
    pub fn start() -> Result<Self, Failure> {
        let programs = install::pip("moto", include_str!("../moto.txt"))?;
        Server::start(|port, _| {
            let mut command = Command::new(programs.join("moto_server"));
            command.args(["-H", "127.0.0.1", "-p", &port.to_string()]);
            Ok(command)
        })
        .map(Self)
    }

    /// Makes a bucket in a region.
    ///
    /// # Errors
    /// When it cannot.
    pub fn create_bucket(&self, name: &str, region: &str) -> Result<(), Failure> {
        let mut request = Request::new("PUT", &format!("/{name}"));
        if region != "us-east-1" {
            let place = format!("<LocationConstraint>{region}</LocationConstraint>");
            let body = format!("<CreateBucketConfiguration>{place}</CreateBucketConfiguration>");
            request = request.body("application/xml", body);
        }
        self.s3(request, region).map(drop)
    }

    /// What an object holds; `None` when there is none.
    ///
    /// # Errors
    /// When it does not answer.
    pub fn object(&self, bucket: &str, key: &str) -> Result<Option<Vec<u8>>, Failure> {
        let request = signed(Request::get(&format!("/{bucket}/{}", encoded(key))), "us-east-1", "s3");
        let answer = request.send(self.address())?;
        match answer.status {
            200 => Ok(Some(answer.body)),
            404 => Ok(None),
            other => Err(format!("moto answered {other}: {}", answer.text())),
        }
    }

    /// The keys in a bucket, sorted.
    ///
    /// # Errors
    /// When it does not answer.
    pub fn keys(&self, bucket: &str) -> Result<Vec<String>, Failure> {
        let text = self.s3(Request::get(&format!("/{bucket}?list-type=2")), "us-east-1")?;
        let keys = text.split("<Key>").skip(1).filter_map(|rest| rest.split_once("</Key>"));
        Ok(keys.map(|(key, _)| key.replace("&amp;", "&")).collect())
    }

    fn s3(&self, request: Request, region: &str) -> Result<String, Failure> {
        let answer = signed(request, region, "s3").send(self.address())?;
        if answer.is_success() { Ok(answer.text()) } else { Err(format!("moto: {}", answer.text())) }
    }
}

/// With the head of a signature, by which moto tells services apart.
fn signed(request: Request, region: &str, service: &str) -> Request {
    let scope = format!("AKID/20260101/{region}/{service}/aws4_request");
    let rest = "SignedHeaders=host, Signature=00";
    request.header("Authorization", &format!("AWS4-HMAC-SHA256 Credential={scope}, {rest}"))
}

fn encoded(key: &str) -> String {
    percent_encoding::utf8_percent_encode(key, percent_encoding::NON_ALPHANUMERIC).to_string()
}
