//! Examples in which whoever sent an event gets something back, or something else goes on.

use kit::{Example, Failure, Request, ensure};
use serde_json::json;

use crate::Named;
use crate::examples::{example, shown};

pub const TRIALS: &[Named] = &[
    ("request-reply: each client gets what comes of its own order", request_reply),
    ("xslt: a stylesheet makes ours of the partner's", xslt),
];

fn request_reply() -> Result<(), Failure> {
    let up = example("request-reply")?;
    let address = up.address("front")?;
    let order = |article: &str| {
        Example::json("com.example.order", &json!({ "article": article })).binary(1).send_later(address)
    };
    let articles = ["kettle", "cup", "table", "chair"];
    let clients: Vec<_> = articles.iter().map(|article| order(article)).collect();
    for (article, client) in articles.iter().zip(clients) {
        let answer = kit::answer(client)?;
        let event = answer.event()?;
        let text = event.json()["answer"].clone();
        ensure(event.get("type") == "com.example.price" && text == format!("one {article}: 42 EUR"), || {
            format!("{article}: {} {}", answer.status, answer.text())
        })?;
    }
    Ok(())
}

fn xslt() -> Result<(), Failure> {
    let mut up = example("xslt")?;
    let address = up.address("partner")?;
    let order = r#"<Order Number="7"><Line Article="K-3" Count="2" Price="12.50"/></Order>"#;
    let request = Request::post("/").body("application/xml", order);
    let answer = request.send(address).map_err(|error| format!("partner: {error}"))?;
    ensure(answer.is_success(), || format!("{} {}", answer.status, answer.text()))?;
    shown(&mut up, "orders", "com.example.partner.order.response", r#"<item sku="K-3">2</item>"#)
}
