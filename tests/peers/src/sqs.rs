//! A small client of SQS for tests, by its JSON protocol, for moto, ElasticMQ and whatever else takes any signature.

use std::net::SocketAddr;

use kit::{Failure, http::Request};
use serde_json::{Value, json};

/// The queues of one server.
#[derive(Debug, Clone, Copy)]
pub struct Sqs {
    address: SocketAddr,
    region: &'static str,
}

impl Sqs {
    /// Those of the server at this address, in a region.
    #[must_use]
    pub fn new(address: SocketAddr, region: &'static str) -> Self {
        Self { address, region }
    }

    /// Makes a queue and gives its URL. Attributes are texts: `{"VisibilityTimeout": "5"}`.
    ///
    /// # Errors
    /// When it cannot.
    pub fn create(&self, name: &str, attributes: &Value) -> Result<String, Failure> {
        let answer = self.call("CreateQueue", &json!({ "QueueName": name, "Attributes": attributes }))?;
        answer["QueueUrl"].as_str().map(str::to_owned).ok_or_else(|| format!("no URL in {answer}"))
    }

    /// Sends messages, in batches of ten.
    ///
    /// # Errors
    /// When one of them is refused.
    pub fn send(&self, queue: &str, bodies: &[String]) -> Result<(), Failure> {
        for batch in bodies.chunks(10) {
            let entries: Vec<_> = batch
                .iter()
                .enumerate()
                .map(|(index, body)| json!({ "Id": index.to_string(), "MessageBody": body }))
                .collect();
            self.send_entries(queue, &json!(entries))?;
        }
        Ok(())
    }

    /// Sends one batch of entries as SendMessageBatch has them.
    ///
    /// # Errors
    /// When one of them is refused.
    pub fn send_entries(&self, queue: &str, entries: &Value) -> Result<(), Failure> {
        let answer = self.call("SendMessageBatch", &json!({ "QueueUrl": queue, "Entries": entries }))?;
        match answer["Failed"].as_array() {
            Some(failed) if !failed.is_empty() => Err(format!("refused: {answer}")),
            _ => Ok(()),
        }
    }

    /// Receives up to ten messages at once, without waiting, with all their attributes.
    ///
    /// # Errors
    /// When it cannot.
    pub fn receive(&self, queue: &str) -> Result<Vec<Value>, Failure> {
        let request = json!({
            "QueueUrl": queue, "MaxNumberOfMessages": 10, "WaitTimeSeconds": 0,
            "AttributeNames": ["All"], "MessageAttributeNames": ["All"],
        });
        let answer = self.call("ReceiveMessage", &request)?;
        Ok(answer["Messages"].as_array().cloned().unwrap_or_default())
    }

    /// One attribute of a queue, `ApproximateNumberOfMessages`.
    ///
    /// # Errors
    /// When there is none.
    pub fn attribute(&self, queue: &str, name: &str) -> Result<String, Failure> {
        let request = json!({ "QueueUrl": queue, "AttributeNames": [name] });
        let answer = self.call("GetQueueAttributes", &request)?;
        answer["Attributes"][name].as_str().map(str::to_owned).ok_or_else(|| format!("no {name}: {answer}"))
    }

    /// Any action.
    ///
    /// # Errors
    /// What the server says, when that is no success.
    pub fn call(&self, action: &str, request: &Value) -> Result<Value, Failure> {
        let scope = format!("AKID/20260101/{}/sqs/aws4_request", self.region);
        let signature = format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=00");
        let request = Request::post("/")
            .header("X-Amz-Target", &format!("AmazonSQS.{action}"))
            .header("Authorization", &signature)
            .body("application/x-amz-json-1.0", request.to_string());
        let answer = request.send(self.address).map_err(|error| format!("{action}: {error}"))?;
        if !answer.is_success() {
            return Err(format!("{action}: {} {}", answer.status, answer.text()));
        }
        if answer.body.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_slice(&answer.body).map_err(|error| format!("{action}: {error}"))
    }
}
