//! A bridge in plain Kubernetes: a Deployment for each component, a Service for each that takes events.

use serde_json::Value as Json;

use super::part::Part;
use super::workload;

/// The objects of one component; `document` is that of a broker.
pub fn objects(part: &Part<'_>, document: Option<String>) -> Vec<Json> {
    let mut objects = workload::beside(part, document);
    objects.push(workload::deployment(part));
    objects.extend(workload::service(part));
    objects
}
