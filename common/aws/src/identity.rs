//! The credentials at hand, kept until they expire and forgotten when AWS refuses them.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use aws_config::identity::IdentityCache;
use aws_smithy_runtime_api::client::{
    identity::{IdentityFuture, ResolveCachedIdentity, SharedIdentityCache, SharedIdentityResolver},
    runtime_components::RuntimeComponents,
};
use aws_smithy_types::config_bag::ConfigBag;

/// How often, at most, refused credentials are got anew: those that are really wrong cost no call each time.
const FORGET_EVERY: Duration = Duration::from_secs(10);

/// How long getting credentials may take: callers wait for it.
const LONGEST_LOAD: Duration = Duration::from_secs(10);

/// A cache that can be emptied.
#[derive(Debug, Clone)]
pub(crate) struct Identities(Arc<Mutex<Kept>>);

#[derive(Debug)]
struct Kept {
    cache: SharedIdentityCache,
    forgotten: Option<Instant>,
    /// Whether there is anything to forget.
    lasting: bool,
}

impl Identities {
    /// For credentials that cost a call.
    pub(crate) fn lasting() -> Self {
        Self::of(empty(), true)
    }

    /// For credentials that lie in memory or in a file: each call looks at them.
    pub(crate) fn none() -> Self {
        Self::of(IdentityCache::no_cache(), false)
    }

    fn of(cache: SharedIdentityCache, lasting: bool) -> Self {
        Self(Arc::new(Mutex::new(Kept { cache, forgotten: None, lasting })))
    }

    /// AWS refused the credentials: they may have been revoked or replaced, so the next call gets them anew.
    pub(crate) fn forget(&self) {
        let Ok(mut kept) = self.0.lock() else { return };
        if kept.lasting && kept.forgotten.is_none_or(|at| at.elapsed() >= FORGET_EVERY) {
            kept.cache = empty();
            kept.forgotten = Some(Instant::now());
        }
    }
}

fn empty() -> SharedIdentityCache {
    IdentityCache::lazy().load_timeout(LONGEST_LOAD).build()
}

impl ResolveCachedIdentity for Identities {
    fn resolve_cached_identity<'a>(
        &'a self,
        resolver: SharedIdentityResolver,
        components: &'a RuntimeComponents,
        settings: &'a ConfigBag,
    ) -> IdentityFuture<'a> {
        let cache = match self.0.lock() {
            Ok(kept) => kept.cache.clone(),
            Err(poisoned) => poisoned.into_inner().cache.clone(),
        };
        IdentityFuture::new(
            async move { cache.resolve_cached_identity(resolver, components, settings).await },
        )
    }
}
