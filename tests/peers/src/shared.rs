//! Servers that several trials of one run share: a Java machine for each would be too many.

use std::any::{Any, TypeId};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use kit::Failure;

/// A server while somebody holds it.
type Place = Arc<Mutex<Option<Weak<dyn Any + Send + Sync>>>>;

static SHARED: Mutex<BTreeMap<TypeId, Place>> = Mutex::new(BTreeMap::new());

/// The server of this type: started when somebody asks and there is none, ended with the last who holds it.
///
/// # Errors
/// When it cannot be started.
pub fn shared<T: Any + Send + Sync>(start: impl FnOnce() -> Result<T, Failure>) -> Result<Arc<T>, Failure> {
    let mut places = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    let place = Arc::clone(places.entry(TypeId::of::<T>()).or_default());
    // Who asks for a server of another type does not wait for this one.
    drop(places);
    let mut place = place.lock().unwrap_or_else(PoisonError::into_inner);
    let alive = place.as_ref().and_then(Weak::upgrade);
    if let Some(found) = alive.and_then(|server| server.downcast::<T>().ok()) {
        return Ok(found);
    }
    let started = Arc::new(start()?);
    *place = Some(Arc::downgrade(&(Arc::clone(&started) as Arc<dyn Any + Send + Sync>)));
    Ok(started)
}
