//! Prints each event, then answers.

use std::{net::SocketAddr, sync::Arc};

use axum::{
    extract::ConnectInfo,
    routing::{MethodRouter, get},
};
use chrono::Utc;
use common::{
    Adapter, Context, Error, Event, Field, Info, Kind, Reply, Role, Scaling, Target, config::ConfigError,
};
use http::HeaderMap;
use pretty::Look;

use crate::{config::DisplayConfig, page::Page, printer::Printer};

/// The display target.
pub struct Display {
    look: Look,
    page: Page,
    printer: Printer,
}

impl Adapter for Display {
    const INFO: Info = Info {
        name: env!("CARGO_PKG_NAME"),
        version: env!("CARGO_PKG_VERSION"),
        summary: env!("CARGO_PKG_DESCRIPTION"),
        role: Role::Target,
        component: "displaytarget",
        resource_group: "displaytargets.targets.triggermesh.io",
        images: &[],
        emits: &[],
        accepts: &["*"],
        scaling: Scaling::Any,
        kinds: &[Kind {
            group: "targets.triggermesh.io",
            version: "v1alpha1",
            kind: "DisplayTarget",
            constants: &[],
            fields: &[
                Field::new("dataBytes", "DISPLAY_DATA_BYTES"),
                Field::new("keep", "DISPLAY_KEEP"),
                Field::new("token", "DISPLAY_TOKEN").secret(),
            ],
        }],
    };
    type Config = DisplayConfig;

    fn new(config: DisplayConfig) -> Result<Self, ConfigError> {
        Ok(Self {
            look: Look::new(config.display_color.is_wanted(), config.display_data_bytes),
            page: Page::new(config.display_keep, config.display_token),
            printer: Printer::new(),
        })
    }

    async fn connect(&self) -> Result<(), Error> {
        self.printer.start().map_err(|error| Error::retryable("starting to print").caused_by(error))
    }

    fn pages(self: &Arc<Self>) -> Vec<(&'static str, MethodRouter)> {
        let display = Arc::clone(self);
        let page = async move |peer: Option<axum::Extension<ConnectInfo<SocketAddr>>>, headers: HeaderMap| {
            let (head, body) = display.page.answer(peer.map(|peer| peer.0.0), &headers).into_parts();
            http::Response::from_parts(head, axum::body::Body::from(body))
        };
        vec![("/events", get(page))]
    }
}

impl Target for Display {
    async fn handle(&self, event: Event, _context: &Context) -> Result<Reply, Error> {
        let time = Utc::now().format("%H:%M:%S%.3fZ").to_string();
        let block = self.look.block(&event, &time);
        let printed = self.printer.print(block).await;
        printed.map_err(|error| Error::retryable("writing to standard output").caused_by(error))?;
        self.page.add(&event);
        Ok(Reply::Done)
    }
}
