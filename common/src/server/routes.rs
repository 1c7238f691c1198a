//! The paths that every adapter answers: live, started, ready; and the page for Prometheus.

use std::{future::Future, pin::Pin, sync::Arc};

use axum::{
    Router,
    body::Body,
    http::{Request, StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
    routing::{MethodRouter, get},
};
use hyper::body::Incoming;
use tower_service::Service as _;

use crate::{health::Health, metrics};

/// The body of a healthy answer; the old brokers' clients read it.
const OK: &str = r#"{"ok": "true"}"#;

/// What takes the requests that are no page: the events.
pub(crate) type Events = Arc<dyn Fn(Request<Incoming>) -> Answering + Send + Sync>;
/// An answer in the making.
pub(crate) type Answering = Pin<Box<dyn Future<Output = Response> + Send>>;

/// Everything that one listener serves.
#[derive(Clone)]
pub(crate) struct Routes {
    pages: Router,
    /// The exact paths of the pages, so that an event costs no look into the router.
    paths: Arc<[&'static str]>,
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
        let pages = pages.into_iter().fold(Router::new(), |router, (path, page)| router.route(path, page));
        Self { pages, paths, events }
    }

    /// Answers one request.
    pub(crate) async fn answer(&self, request: Request<Incoming>) -> Response {
        let is_page = self.paths.contains(&request.uri().path());
        if !is_page {
            return (self.events)(request).await;
        }
        match self.pages.clone().call(request.map(Body::new)).await {
            Ok(response) => response,
            Err(never) => match never {},
        }
    }
}

/// For those who take no events.
pub(crate) fn no_events() -> Events {
    Arc::new(|_| Box::pin(std::future::ready(StatusCode::NOT_FOUND.into_response())))
}

fn answer(good: bool) -> Response {
    if good {
        ([(CONTENT_TYPE, "application/json")], OK).into_response()
    } else {
        StatusCode::SERVICE_UNAVAILABLE.into_response()
    }
}
