//! Servers that several trials of one run share: a Java machine for each would be too many.

use std::{
    any::Any,
    sync::{Arc, Mutex, PoisonError, Weak},
};

use kit::Failure;

static SHARED: Mutex<Vec<Weak<dyn Any + Send + Sync>>> = Mutex::new(Vec::new());

/// The server of this type: started when somebody asks and there is none, ended with the last who holds it.
///
/// # Errors
/// When it cannot be started.
pub fn shared<T: Any + Send + Sync>(start: impl FnOnce() -> Result<T, Failure>) -> Result<Arc<T>, Failure> {
    let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    shared.retain(|server| server.strong_count() > 0);
    let mut alive = shared.iter().filter_map(Weak::upgrade);
    if let Some(found) = alive.find_map(|server| server.downcast::<T>().ok()) {
        return Ok(found);
    }
    let started: Arc<dyn Any + Send + Sync> = Arc::new(start()?);
    shared.push(Arc::downgrade(&started));
    started.downcast::<T>().map_err(|_| "a server of another type".to_owned())
}
