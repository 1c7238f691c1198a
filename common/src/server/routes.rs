//! The paths that every adapter answers: live, started, ready; and the page for Prometheus.

use std::sync::Arc;

use axum::{
    Router,
    http::{StatusCode, header::CONTENT_TYPE},
    response::IntoResponse,
    routing::get,
};

use crate::{health::Health, metrics};

/// The body of a healthy answer; the old brokers' clients read it.
const OK: &str = r#"{"ok": "true"}"#;

/// The adapter's own pages and the health paths; everything else is for `events`.
pub(crate) fn router(own: Router, health: &Arc<Health>, events: Router) -> Router {
    let mut router = own;
    for path in ["/healthz", "/_ah/health", "/q/health/live"] {
        router = router.route(path, get(|| async { answer(true) }));
    }
    for path in ["/health", "/q/health/started"] {
        let health = Arc::clone(health);
        router = router.route(path, get(move || std::future::ready(answer(health.is_started()))));
    }
    for path in ["/readyz", "/readiness", "/q/health/ready"] {
        let health = Arc::clone(health);
        router = router.route(path, get(move || std::future::ready(answer(health.is_ready()))));
    }
    router.fallback_service(events)
}

/// The page for Prometheus.
pub(crate) fn metrics_router() -> Router {
    let page = || async { ([(CONTENT_TYPE, "text/plain; version=0.0.4")], metrics::text()) };
    Router::new().route("/metrics", get(page))
}

fn answer(good: bool) -> axum::response::Response {
    if good {
        ([(CONTENT_TYPE, "application/json")], OK).into_response()
    } else {
        StatusCode::SERVICE_UNAVAILABLE.into_response()
    }
}
