//! The command against a double of a broker's pages.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Path, RawQuery, Request, State};
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::{Value as Json, json};

use super::show::{self, Wanted};
use super::store::{Credentials, Store};
use super::work::{Deed, Work};
use crate::args::Format;
use crate::style::Palette;

/// Ids with their triggers; what is in `refusing` cannot be replayed.
#[derive(Default)]
struct Double {
    letters: Mutex<BTreeMap<String, &'static str>>,
    refusing: Vec<&'static str>,
    queries: Mutex<Vec<String>>,
}

async fn list(State(double): State<Arc<Double>>, RawQuery(query): RawQuery) -> Response {
    let query = query.unwrap_or_default();
    double.queries.lock().unwrap().push(query.clone());
    let asked = |name: &str| {
        let found = query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
        found.map(|value| value.replace("%2F", "/"))
    };
    // Fewer than are asked for, as a broker may.
    let limit = asked("limit").unwrap().parse::<usize>().unwrap().min(2);
    let letters = double.letters.lock().unwrap();
    let wanted = |(id, trigger): &(&String, &&str)| {
        asked("after").is_none_or(|after| **id > after)
            && asked("trigger").is_none_or(|name| name == **trigger)
    };
    let found: Vec<_> = letters.iter().filter(wanted).map(|(id, trigger)| (id.clone(), *trigger)).collect();
    let page = &found[..limit.min(found.len())];
    let next = page.last().filter(|_| found.len() > limit).map(|(id, _)| id.clone());
    let entries: Vec<Json> = page.iter().map(|(id, trigger)| entry(id, trigger)).collect();
    json!({"entries": entries, "next": next}).to_string().into_response()
}

fn entry(id: &str, trigger: &str) -> Json {
    let event = json!({"specversion": "1.0", "id": "7", "source": "/shop", "type": "order"});
    json!({
        "id": id, "trigger": trigger, "time": "2026-11-25T21:00:00Z", "attempts": 4, "code": 503,
        "error": "not \u{1b}[2J now", "hops": 0, "event": event
    })
}

async fn one(State(double): State<Arc<Double>>, Path(id): Path<String>) -> Response {
    let letters = double.letters.lock().unwrap();
    let Some(trigger) = letters.get(&id) else { return StatusCode::NOT_FOUND.into_response() };
    let event = json!({
        "specversion": "1.0", "id": "7", "source": "/shop", "type": "order", "trestletrigger": trigger,
        "knativeerrordata": "bm8gcm9vbQ==", "knativeerrorcode": "503", "data": {"n": 1}
    });
    event.to_string().into_response()
}

async fn replay(State(double): State<Arc<Double>>, Path(id): Path<String>) -> Response {
    if double.refusing.contains(&&*id) {
        return (StatusCode::BAD_GATEWAY, "it was not delivered: 503\n").into_response();
    }
    remove(State(double), Path(id)).await
}

async fn remove(State(double): State<Arc<Double>>, Path(id): Path<String>) -> Response {
    match double.letters.lock().unwrap().remove(&id) {
        Some(_) => StatusCode::NO_CONTENT.into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn guard(request: Request, next: Next) -> Response {
    // me:secret
    match request.headers().get("authorization") {
        Some(value) if value == "Basic bWU6c2VjcmV0" => next.run(request).await,
        _ => StatusCode::UNAUTHORIZED.into_response(),
    }
}

struct Scene {
    double: Arc<Double>,
    store: Store,
    out: Vec<u8>,
    err: Vec<u8>,
}

impl Scene {
    async fn new(double: Double, credentials: Option<(&str, &str)>) -> Self {
        let double = Arc::new(double);
        let app = Router::new()
            .route("/dlq", get(list))
            .route("/dlq/{id}", get(one).delete(remove))
            .route("/dlq/{id}/replay", post(replay))
            .layer(from_fn(guard))
            .with_state(Arc::clone(&double));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap()).parse().unwrap();
        tokio::spawn(async move { axum::serve(listener, app).await });
        let text = |text: &str| Some(text.to_owned());
        let credentials = credentials.map_or_else(Credentials::default, |(user, password)| Credentials {
            user: text(user),
            password: text(password),
        });
        Self { double, store: Store::new(&url, credentials).unwrap(), out: Vec::new(), err: Vec::new() }
    }

    async fn work(
        &mut self,
        deed: Deed,
        format: Format,
        ids: &[&str],
        all: Option<Option<&str>>,
    ) -> Result<bool, String> {
        let ids: Vec<String> = ids.iter().map(|id| (*id).to_owned()).collect();
        let work = Work { store: &self.store, deed, format, palette: Palette::plain() };
        work.run(&ids, all, (&mut self.out, &mut self.err)).await
    }

    async fn list(&mut self, wanted: &Wanted<'_>, format: Format) -> Result<bool, String> {
        show::list(&self.store, wanted, format, (&mut self.out, &mut self.err)).await
    }

    /// What was printed since the last call, on either.
    fn printed(&mut self) -> (String, String) {
        let text = |bytes: &mut Vec<u8>| String::from_utf8(std::mem::take(bytes)).unwrap();
        (text(&mut self.out), text(&mut self.err))
    }

    fn left(&self) -> Vec<String> {
        self.double.letters.lock().unwrap().keys().cloned().collect()
    }
}

fn double(letters: &[(&str, &'static str)], refusing: &[&'static str]) -> Double {
    let letters = letters.iter().map(|(id, trigger)| ((*id).to_owned(), *trigger)).collect();
    Double { letters: Mutex::new(letters), refusing: refusing.to_vec(), queries: Mutex::default() }
}

fn run(test: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(test);
}

const ME: Option<(&str, &str)> = Some(("me", "secret"));

#[test]
fn the_list_goes_over_pages_and_says_where_more_are() {
    run(async {
        let letters = [("1-0", "a"), ("2-0", "b"), ("3-0", "a"), ("4/0", "a"), ("5-0", "a")];
        let mut scene = Scene::new(double(&letters, &[]), ME).await;
        let wanted = Wanted { trigger: Some("a"), after: None, limit: 3 };
        assert!(scene.list(&wanted, Format::Text).await.unwrap());
        let (text, note) = scene.printed();
        let first: Vec<_> = text.lines().map(|line| line.split_whitespace().next().unwrap()).collect();
        assert_eq!(first, ["ID", "1-0", "3-0", "4/0"]);
        assert!(text.contains("503") && text.contains("order") && !text.contains('\u{1b}'), "{text}");
        assert_eq!(note, "there may be more: --after 4/0\n");
        let wanted = Wanted { trigger: None, after: Some("4/0"), limit: 10 };
        assert!(scene.list(&wanted, Format::Json).await.unwrap());
        let (text, note) = scene.printed();
        let found: Json = serde_json::from_str(&text).unwrap();
        assert_eq!((found["entries"][0]["id"].as_str(), &found["next"]), (Some("5-0"), &Json::Null));
        assert_eq!(note, "");
        assert!(
            scene.list(&Wanted { trigger: Some("c"), after: None, limit: 1 }, Format::Text).await.unwrap()
        );
        assert_eq!(scene.printed(), (String::new(), "no dead letters\n".to_owned()));
        assert!(scene.double.queries.lock().unwrap().contains(&"limit=10&after=4%2F0".to_owned()));
    });
}

#[test]
fn one_is_shown_with_its_failure() {
    run(async {
        let mut scene = Scene::new(double(&[("1/0", "a")], &[]), ME).await;
        let (store, out) = (&scene.store, &mut scene.out);
        assert!(show::one(store, "1/0", Format::Text, Palette::plain(), out).await.unwrap());
        let (text, _) = scene.printed();
        for expected in ["trigger    a\n", "code       503\n", "error      no room\n", "order  /shop  7"] {
            assert!(text.contains(expected), "{expected:?} in:\n{text}");
        }
        assert!(!text.contains("knativeerrordata"), "{text}");
        let (store, out) = (&scene.store, &mut scene.out);
        assert!(show::one(store, "1/0", Format::Json, Palette::plain(), out).await.unwrap());
        let event: Json = serde_json::from_str(&scene.printed().0).unwrap();
        assert_eq!(event["trestletrigger"], "a");
        let missing = show::one(&scene.store, "9", Format::Text, Palette::plain(), &mut scene.out).await;
        assert_eq!(missing.unwrap_err(), "there is no dead letter 9");
    });
}

#[test]
fn replay_says_of_each_how_it_went() {
    run(async {
        let letters = [("1", "a"), ("2", "a"), ("3", "b"), ("4", "a"), ("5", "a")];
        let mut scene = Scene::new(double(&letters, &["2"]), ME).await;
        assert!(!scene.work(Deed::Replay, Format::Text, &["1", "2", "9"], None).await.unwrap());
        let (text, summary) = scene.printed();
        let expected = "1  delivered\n2  not delivered: 502: it was not delivered: 503\n\
                        9  not delivered: there is no such dead letter\n";
        assert_eq!((text.as_str(), summary.as_str()), (expected, "1 delivered, 2 not\n"));
        assert!(!scene.work(Deed::Replay, Format::Json, &[], Some(Some("a"))).await.unwrap());
        let (text, summary) = scene.printed();
        let lines: Vec<Json> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let reason = "502: it was not delivered: 503";
        assert_eq!(lines[0], json!({"id": "2", "done": false, "reason": reason}));
        assert_eq!(lines[1..], [json!({"id": "4", "done": true}), json!({"id": "5", "done": true})]);
        assert_eq!((summary.as_str(), scene.left()), ("2 delivered, 1 not\n", vec!["2".into(), "3".into()]));
        assert!(scene.work(Deed::Delete, Format::Text, &[], Some(None)).await.unwrap());
        assert_eq!(scene.printed(), ("2  deleted\n3  deleted\n".to_owned(), "2 deleted\n".to_owned()));
        assert!(scene.left().is_empty());
        assert!(scene.work(Deed::Replay, Format::Text, &[], Some(None)).await.unwrap(), "nothing to do");
    });
}

#[test]
fn what_no_other_try_would_mend_ends_the_work() {
    run(async {
        let mut scene = Scene::new(double(&[("1", "a"), ("2", "a")], &[]), None).await;
        assert!(!scene.work(Deed::Replay, Format::Text, &["1", "2"], None).await.unwrap());
        let (text, summary) = scene.printed();
        assert!(text.is_empty() && summary.starts_with("0 delivered, 2 not tried"), "{summary}");
        assert!(summary.contains("--password-file"), "{summary}");
        let error = scene.work(Deed::Replay, Format::Text, &[], Some(None)).await.unwrap_err();
        assert!(error.contains("wants a user and a password"), "{error}");
        let wrong = Scene::new(double(&[], &[]), Some(("me", "x"))).await;
        let error = wrong.store.page(None, 1, None).await.unwrap_err().into_text();
        assert_eq!(error, "the broker does not know this user and password");
        let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", closed.local_addr().unwrap()).parse().unwrap();
        drop(closed);
        let store = Store::new(&url, Credentials::default()).unwrap();
        let error = store.page(None, 1, None).await.unwrap_err().into_text();
        assert!(error.contains("the connection failed"), "{error}");
    });
}

#[test]
fn what_is_no_broker_is_told() {
    run(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
        let app = Router::new().route("/", get(|| async { "hello" }));
        tokio::spawn(async move { axum::serve(listener, app).await });
        let store = Store::new(&url, Credentials::default()).unwrap();
        let error = store.page(None, 1, None).await.unwrap_err().into_text();
        assert!(error.ends_with("is no broker that keeps dead letters"), "{error}");
    });
    let half = Credentials { user: Some("me".to_owned()), password: None };
    let url = "http://127.0.0.1:1".parse().unwrap();
    assert!(Store::new(&url, half).is_err_and(|why| why.contains("needs a password")));
}
