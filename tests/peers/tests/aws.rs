//! The peers that play AWS and its network do what the tests take for granted.

use kit::{Failure, ensure, http::Request};
use peers::{ElasticMq, Moto, Proxy, Sqs, Toxic, Toxiproxy};
use serde_json::json;

type Outcome = Result<(), Failure>;

#[test]
fn elasticmq_and_moto_keep_messages() -> Outcome {
    let (elasticmq, moto) = (ElasticMq::start()?, Moto::start()?);
    for (address, region) in [(elasticmq.address(), ElasticMq::REGION), (moto.address(), "us-west-2")] {
        let sqs = Sqs::new(address, region);
        let queue = sqs.create("orders", &json!({ "VisibilityTimeout": "30" }))?;
        let bodies: Vec<_> = (0..12).map(|number| format!("message {number}")).collect();
        sqs.send(&queue, &bodies)?;
        let count = sqs.attribute(&queue, "ApproximateNumberOfMessages")?;
        ensure(count == "12", || format!("{count} messages"))?;
        let received = sqs.receive(&queue)?;
        ensure(!received.is_empty() && received[0]["Body"].is_string(), || format!("{received:?}"))?;
    }
    Ok(())
}

#[test]
fn moto_keeps_objects() -> Outcome {
    let moto = Moto::start()?;
    moto.create_bucket("files", "eu-west-1")?;
    ensure(moto.keys("files")?.is_empty(), || "there are objects".to_owned())?;
    ensure(moto.object("files", "a b")?.is_none(), || "there is an object".to_owned())
}

#[test]
fn toxiproxy_cuts_and_heals() -> Outcome {
    let (toxiproxy, moto) = (Toxiproxy::start()?, Moto::start()?);
    let proxy = toxiproxy.before(moto.address())?;
    ensure(asks(&proxy)?, || "nothing passes".to_owned())?;
    proxy.add(Toxic::Reset(0))?;
    ensure(!asks(&proxy)?, || "it passes in spite of a reset".to_owned())?;
    proxy.heal()?;
    ensure(asks(&proxy)?, || "it did not heal".to_owned())?;
    proxy.enable(false)?;
    ensure(!asks(&proxy)?, || "it passes though it is down".to_owned())?;
    proxy.enable(true)?;
    ensure(asks(&proxy)?, || "it did not come back".to_owned())
}

fn asks(proxy: &Proxy) -> Result<bool, Failure> {
    Ok(Request::get("/moto-api/").send(proxy.address()).is_ok_and(|answer| answer.status == 200))
}
