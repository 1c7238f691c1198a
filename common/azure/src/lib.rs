//! What the adapters of Microsoft Azure share: resource names, credentials, the HTTP client, the table of errors.
