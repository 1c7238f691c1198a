//! What the adapters of Amazon Web Services share: credentials, endpoints, the HTTP client, the table of errors.
