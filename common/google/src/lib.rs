//! What the adapters of Google Cloud share: resource names, credentials, endpoints, the table of errors.
