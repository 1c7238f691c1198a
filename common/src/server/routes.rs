//! The paths that every adapter answers: live, started, ready; and the page for Prometheus.

use std::sync::{Arc, Mutex};

use axum::{
    Router,
    body::Body,
    http::{Request, StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
    routing::{MethodRouter, get},
};
use hyper::body::Incoming;
use tokio_util::sync::ReusableBoxFuture;
use tower_service::Service as _;

use crate::{health::Health, metrics};

/// The body of a healthy answer; the old brokers' clients read it.
const OK: &str = r#"{"ok": "true"}"#;

/// What takes the requests that are no page: it puts an answer in the making into the slot.
pub(crate) type Events = Arc<dyn Fn(Request<Incoming>, &mut Answering) + Send + Sync>;
/// An answer in the making. One connection has one at a time and uses its memory again: at some kilobytes it is beyond
/// what the allocator is quick with.
pub(crate) type Answering = ReusableBoxFuture<'static, Response>;
/// Where a connection keeps that memory between two requests.
pub(crate) type Slot = Mutex<Option<Answering>>;

/// Everything that one listener serves.
#[derive(Clone)]
pub(crate) struct Routes {
    pages: Router,
    /// The exact paths of the pages, so that an event costs no look into the router.
    paths: Arc<[&'static str]>,
    /// What the paths begin with whose last part is `{any}`.
    beginnings: Arc<[&'static str]>,
    events: Events,
}

impl Routes {
    /// The adapter's own pages and the health paths; everything else is for `events`.
    pub(crate) fn new(own: Vec<(&'static str, MethodRouter)>, health: &Arc<Health>, events: Events) -> Self {
        let mut pages = own;
        for path in ["/healthz", "/_ah/health", "/q/health/live"] {
            pages.push((path, get(|| async { answer(true) })));
        }
        for path in ["/health", "/q/health/started"] {
            let health = Arc::clone(health);
            pages.push((path, get(move || std::future::ready(answer(health.is_started())))));
        }
        for path in ["/readyz", "/readiness", "/q/health/ready"] {
            let health = Arc::clone(health);
            pages.push((path, get(move || std::future::ready(answer(health.is_ready())))));
        }
        Self::of(pages, events)
    }

    /// The page for Prometheus and nothing else.
    pub(crate) fn metrics() -> Self {
        let page = || async { ([(CONTENT_TYPE, "text/plain; version=0.0.4")], metrics::text()) };
        Self::of(vec![("/metrics", get(page))], no_events())
    }

    fn of(pages: Vec<(&'static str, MethodRouter)>, events: Events) -> Self {
        let paths = pages.iter().map(|(path, _)| *path).collect();
        let whole = |(path, _): &(&'static str, MethodRouter)| path.split_once('{').map(|(first, _)| first);
        let beginnings = pages.iter().filter_map(whole).collect();
        let pages = pages.into_iter().fold(Router::new(), |router, (path, page)| router.route(path, page));
        Self { pages, paths, beginnings, events }
    }

    /// Answers one request.
    pub(crate) async fn answer(&self, request: Request<Incoming>, slot: &Slot) -> Response {
        let path = request.uri().path();
        let is_page =
            self.paths.contains(&path) || self.beginnings.iter().any(|first| path.starts_with(first));
        if !is_page {
            return self.event(request, slot).await;
        }
        match self.pages.clone().call(request.map(Body::new)).await {
            Ok(response) => response,
            Err(never) => match never {},
        }
    }

    async fn event(&self, request: Request<Incoming>, slot: &Slot) -> Response {
        let kept = slot.lock().ok().and_then(|mut slot| slot.take());
        let mut answering = kept.unwrap_or_else(|| Answering::new(std::future::pending()));
        (self.events)(request, &mut answering);
        let response = std::future::poll_fn(|cx| answering.poll(cx)).await;
        if let Ok(mut slot) = slot.lock() {
            *slot = Some(answering);
        }
        response
    }
}

/// For those who take no events.
pub(crate) fn no_events() -> Events {
    Arc::new(|_, answering| answering.set(std::future::ready(StatusCode::NOT_FOUND.into_response())))
}

fn answer(good: bool) -> Response {
    if good {
        ([(CONTENT_TYPE, "application/json")], OK).into_response()
    } else {
        StatusCode::SERVICE_UNAVAILABLE.into_response()
    }
}
